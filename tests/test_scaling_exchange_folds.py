"""A run's policies as folds of the exchange with a larger model."""

import numpy as np
import pytest
from test_scaling_policy import table

from tts_jax.scaling import (
  compute_optimal,
  estimates,
  exchange_folds,
  exchange_summary,
)

_Q, _BUDGETS = 60, [1, 4, 16]


def _world():
  rng = np.random.default_rng(0)
  level = np.linspace(1, 0, _Q)
  values = {
    (name, n): np.clip(level * 0.6 + gain * np.log2(n) / 4, 0, 1)
    + 0.01 * rng.standard_normal(_Q)
    for name, gain in (("best_of_n_weighted", 0.2), ("revisions 1:1", 0.1))
    for n in _BUDGETS
  }
  estimate = estimates.Estimate(
    name="oracle",
    value=np.stack([level, level + 0.2 * rng.random(_Q)]),
    generations=0,
    flops=np.zeros(_Q),
  )
  return table(values), estimate


def test_folds_average_to_the_policy_of_each_family():
  cells, estimate = _world()
  found = exchange_folds.of_policies(cells, estimate, _BUDGETS, splits=400)
  assert set(found) == {"search", "revisions", "pooled"}
  for family, names in (
    ("search", ["best_of_n_weighted"]),
    ("revisions", ["revisions 1:1"]),
  ):
    whole = compute_optimal.evaluate(
      cells.only(names), estimate, _BUDGETS, splits=400
    )
    for place, budget in enumerate(_BUDGETS):
      mean = np.mean([fold.values[budget] for fold in found[family]], 0)
      # One strategy a budget: whatever half chooses, it chooses that.
      np.testing.assert_allclose(mean, whole.value[:, place], atol=1e-12)
  # Beyond what some strategy spends nothing was measured.
  beyond = exchange_folds.of_policies(cells, estimate, [1, 16, 64], splits=5)
  assert {tuple(fold.values) for fold in beyond["search"]} == {(1, 16)}
  for fold, where in zip(found["pooled"], estimate.bins(), strict=True):
    np.testing.assert_array_equal(fold.bins, where)


def test_the_folds_are_compared_with_a_larger_model():
  cells, estimate = _world()
  folds = exchange_folds.of_policies(cells, estimate, _BUDGETS, splits=5)
  told = exchange_summary.summarise(folds, np.full(_Q, 0.5), size_ratio=14)
  everyone = told["families"]["search"]["all"]
  for n in _BUDGETS:
    want = np.mean([fold.values[n] for fold in folds["search"]])
    assert everyone["curve"][str(n)]["mean"] == pytest.approx(want)
    gap = everyone["difference"][str(n)]["mean"]
    assert gap == pytest.approx(want - 0.5)
