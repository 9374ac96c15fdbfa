"""Differences that findings speak of, against plain loops."""

import json

import numpy as np
import pytest
from test_scaling_estimates import _samples
from test_scaling_measuring import _count, _search

from tts_jax.scaling import (
  contrasts,
  difficulty,
  measurements,
  measuring,
  revision_contrasts,
  search_summary,
  sweep,
)

_BUDGETS = (1, 2, 4, 8, 16)


def _made(searched=(("beam_4", 4), ("beam_4", 16), ("lookahead_1", 4))):
  samples = _samples()
  found = {
    (method, n, 0): _search(samples, n, seed) for seed, (method, n) in
    enumerate(searched)
  }  # fmt: skip
  return measurements.measure(samples, found, _BUDGETS, few=3, draws=30)


def test_values_are_measured_once_and_are_those_of_the_sweep():
  made = _made()
  assert made.chosen.keys() == {"majority", "best_of_n", "best_of_n_weighted"}
  assert list(made.chosen["majority"]) == list(_BUDGETS)
  # Half of 16 samples, and what 3 of them leave of each budget.
  assert list(made.by_fold[0]["majority"]) == [1, 2, 4, 5, 8]
  assert measurements.sizes(_BUDGETS, 3, 16) == [1, 2, 4, 5, 8, 13, 16]
  for seen, held in difficulty.FOLDS:
    want = sweep.choice_values(made.samples, [5], held=held, draws=30)
    for name, by_budget in want.items():
      np.testing.assert_allclose(made.held(held)[name][5], by_budget[5])
    assert made.held(held) is not made.held(seen)
  known = sweep.curves_by_bin(
    made.samples, made.searched, _BUDGETS, choose=made.held
  )
  anew = sweep.curves_by_bin(made.samples, made.searched, _BUDGETS, draws=30)
  assert known == anew
  cells = measuring.of_pool(
    made.samples, made.found, [1, 4], _count, by_fold=made.by_fold
  )
  other = measuring.of_pool(made.samples, made.found, [1, 4], _count, draws=30)
  assert cells.keys() == other.keys()
  for name, by_budget in other.items():
    for budget, cell in by_budget.items():
      np.testing.assert_allclose(cells[name][budget].value, cell.value)


def _looped(made, method, budgets, bins, less=None):
  """The mean over the questions that each half of the samples places there."""
  correct, terms = made.samples.correct, []
  for seen, held in difficulty.FOLDS:
    order = np.argsort(-correct[:, seen].mean(1), kind="stable")
    values = {**made.held(held), **made.searched}
    for place, question in enumerate(order):
      if place * 5 // len(order) in bins:
        for n in budgets:
          other = values["best_of_n_weighted"][less or n][question]
          terms.append(values[method][n][question] - other)
  return np.mean(terms)


def test_bins_are_taken_together_on_samples_that_did_not_place():
  made = _made()
  found = contrasts.summarise(made)
  json.dumps(found, allow_nan=False)
  small = found["beam_small"]["beam_4"]
  assert small["budgets"] == [4, 16]
  want = np.mean(
    [
      made.searched["beam_4"][n].mean()
      - made.chosen["best_of_n_weighted"][n].mean()
      for n in (4, 16)
    ]
  )
  assert small["mean"] == pytest.approx(want)
  middle = found["beam_small_middle"]["beam_4"]
  # 16 samples are more than a half has.
  assert middle["budgets"] == [4]
  assert middle["mean"] == pytest.approx(_looped(made, "beam_4", [4], (2, 3)))
  assert middle["low"] < middle["mean"] < middle["high"]
  assert found["beam_large_easy"] == {}
  last = found["hardest"]["beam_4"]
  assert last["budgets"] == [16]
  assert last["mean"] == pytest.approx(_looped(made, "beam_4", [16], (4,), 1))
  assert set(found["hardest"]) == {
    *("majority", "best_of_n", "best_of_n_weighted", "beam_4", "lookahead_1")
  }
  ahead = found["lookahead"]["lookahead_1"]
  assert ahead["beam"] == "beam_4"
  assert ahead["budgets"] == [4]


def test_large_budgets_are_those_of_the_finding(monkeypatch):
  monkeypatch.setattr(contrasts, "LARGE", 4)
  made = _made((("beam_4", 4), ("beam_4", 8), ("beam_sqrt", 2)))
  found = contrasts.summarise(made)
  assert set(found["beam_large_easy"]) == {"beam_4"}
  easy = found["beam_large_easy"]["beam_4"]
  assert easy["budgets"] == [8]
  assert easy["mean"] == pytest.approx(_looped(made, "beam_4", [8], (0, 1)))
  assert found["lookahead"] == {}


def test_a_runs_searches_have_both_kinds_of_bins():
  found = search_summary.summarise(_made(), _count)
  json.dumps(found, allow_nan=False)
  assert len(found["curves_by_predicted_bin"]) == 5
  assert found["curves_by_predicted_bin"] != found["curves_by_bin"]
  assert set(found["contrasts"]) == {
    *("beam_small", "beam_small_middle", "beam_large_easy"),
    *("lookahead", "hardest"),
  }


def test_easy_and_hard_questions_want_other_ratios():
  rng = np.random.default_rng(0)
  level = rng.permutation(np.linspace(0, 1, 50))
  easy = difficulty.quantile_bins(level) < 2
  # Easy questions gain by length; hard ones most at two chains of two.
  gain = {1: (0.0, 0.0), 2: (0.1, 0.3), 4: (0.2, 0.1)}
  values = {
    (4, s): np.where(easy, *own) + 0.01 * rng.random(50)
    for s, own in gain.items()
  }
  values |= {(1, 1): rng.random(50), (2, 1): rng.random(50)}
  found = revision_contrasts.by_difficulty(values, level)
  json.dumps(found, allow_nan=False)
  assert found["easy"]["budget"] == 4
  for name, key, want in (
    ("easy", "sequential_less_other", 0.1),
    ("easy", "mixed_less_sequential", -0.1),
    ("hard", "mixed_less_sequential", 0.2),
    ("hard", "mixed_less_parallel", 0.3),
    ("hard", "sequential_less_other", -0.2),
  ):
    assert found[name][key]["mean"] == pytest.approx(want, abs=0.01)
  assert revision_contrasts.by_difficulty({(2, 1): level}, level) == {}


def test_the_best_of_many_alike_is_not_better():
  table = np.random.default_rng(1).random((60, 2000))
  assert table.mean(0).max() > 0.6
  picked = revision_contrasts.best_of(dict(enumerate(table.T)))
  assert picked.mean() < 0.57
