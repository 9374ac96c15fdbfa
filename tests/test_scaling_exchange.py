"""Pretraining against test time, beside sums in plain loops."""

import json
import math

import numpy as np
import pytest

from tts_jax import errors
from tts_jax.scaling import exchange, exchange_summary, intervals

_BUDGETS = (1, 4, 16, 64)


@pytest.mark.parametrize("name", ["v1", "iclr"])
def test_the_paper_gives_about_258_63_and_16(name):
  form = exchange.FORMS[name]
  found = [form.multiplier(14, ratio) for ratio in form.ratios]
  assert [round(one) for one in found] == [258, 63, 16]


def test_each_form_is_its_formula():
  for M in (2.0, 14.0):
    for R in (0.08, 0.79, 22.0):
      for name, expected in (
        ("v1", M + 3 / R * (M - 1)),
        ("iclr", M + 1.5 / R * (M - 1)),
        ("derived", M / 2 + 1.5 / R * (M - 1)),
      ):
        found = exchange.FORMS[name].multiplier(M, R)
        assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("small", "large"), [(0.3, 0.0), (2.0, 0.5), (0, 0)])
def test_the_multiplier_spends_what_the_large_model_does(small, large):
  form = exchange.Form(verifier=small, large_verifier=large, ratios=())
  M, parameters, trained, R = 9.0, 1e6, 1e9, 0.4
  inferred = R * trained
  k = form.multiplier(M, R)
  theirs = M * parameters * (6 * trained + 2 * (1 + large) * inferred)
  ours = parameters * (6 * trained + 2 * (1 + small) * inferred * k)
  assert ours == pytest.approx(theirs, rel=1e-12)
  assert form.ratio_at(M, k) == pytest.approx(R)
  # Below what inference alone gives, every R buys more.
  assert form.ratio_at(M, M * (1 + large) / (1 + small)) is None


def test_between_budgets_the_logarithm_is_interpolated():
  values = {1: np.array([0.0, 1.0]), 4: np.array([1.0, 0.5])}
  middle = exchange.interpolate(values, 2.0)
  np.testing.assert_allclose(middle.value, [0.5, 0.75])
  assert (middle.budget, middle.beyond) == (2.0, False)
  for budget in values:
    exact = exchange.interpolate(values, budget)
    np.testing.assert_array_equal(exact.value, values[budget])
    assert not exact.beyond
  above = exchange.interpolate(values, 4.001)
  np.testing.assert_array_equal(above.value, values[4])
  assert (above.budget, above.beyond) == (4.0, True)
  for wrong, budget in ((values, 0.9), ({}, 1.0)):
    with pytest.raises(errors.InputError, match="below the least measured"):
      exchange.interpolate(wrong, budget)


def test_the_crossing_is_the_first():
  cross = exchange.crossing
  assert cross([1, 4, 16], [0.0, -1.0, 1.0]) == 1.0
  assert cross([1, 4, 16], [-0.3, -0.1, 0.1]) == pytest.approx(8.0)
  assert cross([1, 4, 16], [-0.2, 0.2, -0.5]) == pytest.approx(2.0)
  assert cross([1, 4], [-0.2, 0.0]) == 4.0
  assert math.isinf(cross([1, 4, 16], [-0.3, -0.1, -0.01]))


def _case(seed=0, questions=60, bins=5):
  rng = np.random.default_rng(seed)
  place = rng.integers(0, bins, questions)
  large = rng.integers(0, 2, questions).astype(float)
  # The easiest bin ends above the large model, the hardest far below.
  values = {
    n: np.clip(
      rng.uniform(size=questions)
      + 0.15 * np.log2(n)
      - 0.25 * place
      + 0.2 * (place == 0),
      0,
      1,
    )
    for n in _BUDGETS
  }
  return exchange_summary.Fold(bins=place, values=values), large


def _looped(fold, large, index, budget):
  """Means of small and difference in a bin, question by question."""
  smalls, gaps = [], []
  for question, bin_ in enumerate(fold.bins):
    if bin_ != index:
      continue
    last = max(fold.values)
    if budget >= last:
      small = fold.values[last][question]
    else:
      above = min(n for n in fold.values if n > budget)
      below = max(n for n in fold.values if n <= budget)
      share = math.log(budget / below) / math.log(above / below)
      ends = fold.values[below][question], fold.values[above][question]
      small = (1 - share) * ends[0] + share * ends[1]
    smalls.append(small)
    gaps.append(small - large[question])
  return sum(smalls) / len(smalls), sum(gaps) / len(gaps)


def test_bins_are_sums_over_their_questions():
  fold, large = _case()
  found = exchange_summary.summarise(
    {"search": [fold]}, large, size_ratio=14.0, seed=3
  )
  json.dumps(found, allow_nan=False)
  assert found["forms"]["v1"]["budgets"]["0.79"] == pytest.approx(63.367, 1e-4)
  for index, one in enumerate(found["families"]["search"]["bins"]):
    mine = fold.bins == index
    assert one["questions"] == mine.sum()
    assert one["large"]["mean"] == pytest.approx(large[mine].mean())
    for name, form in exchange.FORMS.items():
      for ratio in form.ratios:
        cell = one["at"][name][f"{ratio:g}"]
        budget = form.multiplier(14.0, ratio)
        small, gap = _looped(fold, large, index, budget)
        assert cell["budget"] == pytest.approx(budget)
        assert cell["beyond"] == (budget > 64)
        assert cell["measured_at"] == pytest.approx(min(budget, 64))
        assert cell["small"]["mean"] == pytest.approx(small)
        assert cell["difference"]["mean"] == pytest.approx(gap)
    paired = intervals.paired_difference(
      fold.values[16][mine], large[mine], seed=3
    )
    assert one["difference"]["16"] == pytest.approx(paired.summary())
  whole = found["families"]["search"]["all"]
  assert whole["questions"] == 60
  gap = np.mean(fold.values[4] - large)
  assert whole["difference"]["4"]["mean"] == pytest.approx(gap)


def test_nothing_differs_between_equals():
  rng = np.random.default_rng(1)
  large = rng.uniform(size=40)
  fold = exchange_summary.Fold(
    bins=np.arange(40) % 5, values=dict.fromkeys(_BUDGETS, large)
  )
  found = exchange_summary.summarise({"a": [fold]}, large, size_ratio=14.0)
  for one in found["families"]["a"]["bins"]:
    for cells in one["at"].values():
      for cell in cells.values():
        assert cell["difference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
        assert cell["winner"] == "neither"
    assert one["crossing"]["budget"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    for where in one["crossing"]["ratio"].values():
      assert where == {"ahead": "every", "below": None}


def test_the_null_is_inside_most_intervals():
  """Noise with no difference is called one about once in twenty."""
  rng = np.random.default_rng(2)
  called = []
  for seed in range(60):
    rate = rng.uniform(size=60)
    large, small = (rng.uniform(size=(2, 60)) < rate).astype(float)
    fold = exchange_summary.Fold(
      bins=np.zeros(60, int), values=dict.fromkeys((1, 256), small)
    )
    found = exchange_summary.summarise(
      {"a": [fold]}, large, size_ratio=14.0, bins=1, seed=seed
    )
    cell = found["families"]["a"]["all"]["at"]["v1"]["22"]
    called.append(cell["winner"] != "neither")
  assert np.mean(called) < 0.15


def test_lines_cross_where_they_were_made_to():
  bins = np.repeat([0, 1, 2], 30)
  noise = np.random.default_rng(3).normal(0, 0.02, 90)
  start, rise = np.array([0.9, 0.3, 0.0])[bins], np.array([0, 0.1, 0.01])[bins]
  values = {n: start + rise * np.log2(n) + noise for n in (1, 4, 16, 64, 256)}
  # Reached at once; at 2 ** 4 = 16; never.
  apart = np.random.default_rng(4).normal(0, 0.05, (3, 30))
  apart = (apart - apart.mean(1, keepdims=True)).ravel()
  large = np.array([0.8, 0.7, 0.9])[bins] + noise + apart
  found = exchange_summary.summarise(
    {"a": [exchange_summary.Fold(bins=bins, values=values)]},
    large,
    size_ratio=14.0,
    bins=3,
  )
  easy, middle, hard = found["families"]["a"]["bins"]
  assert easy["crossing"]["budget"]["mean"] == 1.0
  assert easy["crossing"]["ratio"]["v1"]["ahead"] == "every"
  assert easy["at"]["v1"]["22"]["winner"] == "test time"
  ends = middle["crossing"]["budget"]
  assert ends["mean"] == pytest.approx(16.0, rel=1e-6)
  assert ends["low"] < 0.99 * ends["mean"] < 0.98 * ends["high"]
  where = middle["crossing"]["ratio"]["v1"]
  # 16 = 14 + 3 * 13 / R.
  assert where == {"ahead": "below", "below": pytest.approx(19.5, rel=1e-6)}
  # 15.8 generations are as good as 16.
  assert middle["at"]["v1"]["22"]["winner"] == "neither"
  assert middle["at"]["v1"]["0.79"]["winner"] == "test time"
  assert middle["at"]["derived"]["11"]["winner"] == "parameters"
  assert hard["crossing"]["budget"] == {"mean": None, "low": None, "high": None}
  assert hard["crossing"]["ratio"]["iclr"]["ahead"] == "not reached"
  assert hard["at"]["v1"]["0.16"]["winner"] == "parameters"


def test_folds_are_averaged_and_an_empty_bin_says_so():
  fold, large = _case(4)
  moved = exchange_summary.Fold(
    bins=np.where(fold.bins == 4, 3, fold.bins),
    values={n: one / 2 for n, one in fold.values.items()},
  )
  found = exchange_summary.summarise(
    {"a": [fold, moved], "b": [moved]}, large, size_ratio=14.0
  )
  for index in range(5):
    observed = [
      one.values[16][question] - large[question]
      for one in (fold, moved)
      for question in range(60)
      if one.bins[question] == index
    ]
    cell = found["families"]["a"]["bins"][index]["difference"]["16"]
    assert cell["mean"] == pytest.approx(np.mean(observed))
  assert found["families"]["b"]["bins"][4] == {"questions": 0}


def _summarise(fold=None, large=None, folds=None, **kwargs):
  usual, answers = _case()
  folds = [usual if fold is None else fold] if folds is None else folds
  exchange_summary.summarise(
    {"search": folds},
    answers if large is None else large,
    **{"size_ratio": 14.0, **kwargs},
  )


def test_faults_are_said():
  fold, large = _case()
  replace = exchange_summary.Fold
  zero = exchange.Form(verifier=0.0, large_verifier=0.0, ratios=(0.0,))
  for kwargs, said in (
    ({"size_ratio": 1.0}, "must have more than 1"),
    ({"forms": {"x": zero}}, "must be above 0"),
    ({"folds": []}, "search: there is no fold"),
    ({"bins": 3}, "bins run from 0 to 4; they must be from 0 to 2"),
    ({"large": large[:50]}, r"shape \(60,\); the large model has 50"),
    ({"large": np.where(np.arange(60) == 7, np.nan, large)}, "question 7"),
    ({"fold": replace(bins=fold.bins, values={})}, "none; measure"),
    (
      {"fold": replace(bins=fold.bins, values={128: large})},
      "63.37 generations is below the least measured, 128",
    ),
    (
      {"folds": [fold, replace(bins=fold.bins, values={1: large})]},
      r"budgets \[1, 4, 16, 64\] and \[1\]",
    ),
  ):
    with pytest.raises(errors.InputError, match=said):
      _summarise(**kwargs)
