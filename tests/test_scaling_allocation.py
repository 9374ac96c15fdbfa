"""Budgets met on average: held against every allocation that there is."""

import itertools
import json

import numpy as np
import pytest
from test_scaling_compute_optimal import _estimate, _world
from test_scaling_policy import table

from tts_jax import errors
from tts_jax.scaling import (
  allocation,
  allocation_summary,
  compute_optimal,
  measured,
)

_BUDGETS = [1, 2, 4, 8, 16]


def _random(seed, questions=12, cells=4):
  """Strategies of one to four generations, each as good as chance has it."""
  rng = np.random.default_rng(seed)
  one = table(
    {(f"s{n}", n): rng.random(questions) for n in range(1, cells + 1)}
  )
  level = np.repeat([2.0, 1.0, 0.0], questions // 3)
  return one, level


@pytest.mark.parametrize("seed", range(8))
def test_no_other_allocation_within_the_budget_is_worth_more(seed):
  one, level = _random(seed)
  budgets = [1, 1.5, 2, 2.7, 3, 4]
  found = allocation.evaluate(one, _estimate(level), budgets, bins=3, splits=1)
  bins = np.array([(level == k).nonzero()[0] for k in (2.0, 1.0, 0.0)])
  value = one.value.mean(0)

  def worth(cells):
    pairs = list(zip(bins, cells, strict=True))
    return (
      np.mean([value[mine, cell].mean() for mine, cell in pairs]),
      np.mean([one.generations[mine, cell].mean() for mine, cell in pairs]),
    )

  every = [worth(cells) for cells in itertools.product(range(4), repeat=3)]
  last = 0.0
  # Bins count from the easiest.
  for budget, cells in zip(budgets, found.best.T, strict=True):
    mine, spent = worth(cells)
    assert spent <= budget * (1 + 1e-9)
    assert mine >= max(v for v, s in every if s <= budget * (1 + 1e-9)) - 1e-8
    assert mine >= last - 1e-9
    last = mine
  assert last == pytest.approx(value_of_best(value, bins))


def value_of_best(value, bins):
  """Of the best strategy of each bin, at any cost."""
  return np.mean([value[mine].mean(0).max() for mine in bins])


def test_hard_questions_get_what_easy_ones_do_not_need():
  """As much on average is worth more than as much for each."""
  easy = np.repeat([True, False], 50)
  one = table(
    {("s", n): np.where(easy, 1.0, 0.2 * np.log2(n)) for n in (1, 2, 4, 8, 16)}
  )
  level = _estimate(easy.astype(float))
  mean = allocation.evaluate(one, level, [8.5], bins=2, splits=20)
  each = compute_optimal.evaluate(one, level, [8.5], bins=2, splits=20)
  assert mean.value.mean() == pytest.approx((1 + 0.8) / 2)
  assert each.value.mean() == pytest.approx((1 + 0.6) / 2)
  assert mean.generations.mean() == pytest.approx(8.5)
  labels = mean.table.labels
  assert [labels[cell] for cell in mean.best[:, 0]] == ["s@1", "s@16"]
  assert mean.shown()[1][0] == {"s@16": 1.0}


def test_what_is_chosen_is_measured_on_other_questions():
  """Of strategies that are alike but for luck, none looks better than it is."""
  rng = np.random.default_rng(0)
  luck = {(f"s{n}", n): rng.integers(2, size=200) for n in range(1, 21)}
  one = table({key: value.astype(float) for key, value in luck.items()})
  found = allocation.evaluate(one, _estimate(np.arange(200.0)), [20], splits=50)
  assert abs(found.value.mean() - 0.5) < 0.06
  best = one.value.mean((0, 1)).max()
  assert found.value.mean() < best


def test_the_estimate_is_paid_for_where_it_can_be():
  one, _, level = _world()
  dear = _estimate(level, 4, 4.0, name="first_4")
  found = allocation.evaluate(one, dear, [2, 5, 20], splits=4)
  free = allocation.evaluate(one, _estimate(level), [1, 16], splits=4)
  assert found.estimated.tolist() == [False, True, True]
  np.testing.assert_allclose(found.value[:, 1:], free.value)
  np.testing.assert_allclose(found.generations[:, 1:], free.generations + 4)
  # Where nothing is estimated all questions are alike.
  assert len(set(found.best[:, 0])) == 1


def test_too_few_questions_are_refused():
  one, level = _random(0)
  with pytest.raises(errors.InputError, match="at least 14 questions"):
    allocation.evaluate(one, _estimate(level), [1], bins=7)
  with pytest.raises(errors.InputError, match="0 splits"):
    allocation.evaluate(one, _estimate(level), [1], bins=3, splits=0)


def test_the_summary_tells_of_all_families():
  one, base, level = _world()
  found = allocation_summary.summarise(
    one,
    [_estimate(level), _estimate(level, name="predicted")],
    base,
    _BUDGETS,
    splits=10,
  )
  json.dumps(found, allow_nan=False)
  assert list(found["families"]) == ["search", "revisions", "pooled"]
  head = found["speedup_vs_best_of_n_weighted"]
  assert list(head) == list(measured.UNITS)
  assert head["generations"]["family"] == "pooled"
  assert head["generations"]["difficulty"] == "predicted"
  shares = found["kept_of_oracle_gain"]["pooled"]["predicted"]
  assert shares["generations"]["share"]["mean"] == pytest.approx(1)
  point = found["families"]["pooled"]["oracle"]["generations"]["4"]
  assert point["generations"] <= 4 * 1.05
  assert point["less_baseline"]["low"] > 0.03


@pytest.mark.parametrize("seed", range(8))
def test_it_is_never_worth_less_than_budgets_of_each_question_s_own(seed):
  one, level = _random(seed)
  budgets = [1, 1.5, 2, 2.7, 3, 4]
  found = allocation.evaluate(one, _estimate(level), budgets, bins=3, splits=1)
  own = compute_optimal.evaluate(
    one, _estimate(level), budgets, bins=3, splits=1
  )
  value = one.value.mean(0)
  bins = np.array([(level == k).nonzero()[0] for k in (2.0, 1.0, 0.0)])
  for mine, other in zip(found.best.T, own.best.T, strict=True):
    worth = [
      np.mean([value[q, c].mean() for q, c in zip(bins, cells, strict=True)])
      for cells in (mine, other)
    ]
    assert worth[0] >= worth[1] - 1e-9


def test_a_price_that_no_cell_is_worth_buys_the_cheapest():
  values = {("a", 1): [0.1], ("b", 4): [1.0], ("c", 512): [1.0]}
  one = table({name: np.repeat(value, 12) for name, value in values.items()})
  level = np.repeat([2.0, 1.0, 0.0], 4)
  found = allocation.evaluate(one, _estimate(level), [1, 4], bins=3, splits=1)
  assert found.best.T.tolist() == [[0, 0, 0], [1, 1, 1]]


def test_of_equals_the_cheapest_is_taken():
  values = {("a", 1): [0.5], ("b", 64): [0.5 + 2e-16]}
  one = table({name: np.repeat(value, 12) for name, value in values.items()})
  level = np.repeat([2.0, 1.0, 0.0], 4)
  found = allocation.evaluate(one, _estimate(level), [64], bins=3, splits=1)
  assert found.best.T.tolist() == [[0, 0, 0]]
