"""Policies under an estimate that costs something, and what is told of them."""

import json

import numpy as np
import pytest
from test_scaling_policy import table

from tts_jax import errors
from tts_jax.scaling import (
  compute_optimal,
  estimates,
  measured,
  policy,
  policy_summary,
)

_Q = 200
_BUDGETS = [1, 2, 4, 8, 16]


def _world(seed=0):
  """Beam search is worth 4 times its budget on the harder half."""
  rng = np.random.default_rng(seed)
  level = np.linspace(1, 0, _Q)
  noise = 0.02 * rng.standard_normal((_Q, 2, 5))

  def curve(times):
    grown = level[:, None] * 0.6 + 0.05 * np.log2(
      np.array(_BUDGETS) * times[:, None]
    )
    return np.clip(grown, 0, 1)

  plain = curve(np.ones(_Q)) + noise[:, 0]
  beam = curve(np.where(level > 0.5, 0.25, 4.0)) + noise[:, 1]
  values = {
    ("best_of_n_weighted", n): plain[:, i] for i, n in enumerate(_BUDGETS)
  }
  values |= {("beam_4", n): beam[:, i] for i, n in enumerate(_BUDGETS)}
  values |= {
    (f"revisions 1:{n}", n): plain[:, i] - 0.1 for i, n in enumerate(_BUDGETS)
  }
  one = table(values)
  base = {
    n: measured.Cell(
      value=plain[:, i],
      generations=np.full(_Q, n),
      flops=np.full(_Q, n),
    )
    for i, n in enumerate(_BUDGETS)
  }
  return one, base, level


def _estimate(value, generations=0, flops=0.0, name="oracle"):
  return estimates.Estimate(
    name=name,
    value=np.stack([value, value]),
    generations=generations,
    flops=np.full(len(value), flops),
  )


def test_the_budget_pays_for_the_estimate():
  one, _, level = _world()
  free = compute_optimal.evaluate(one, _estimate(level), _BUDGETS)
  paid = compute_optimal.evaluate(
    one, _estimate(level, 4, 4.0), [n + 4 for n in _BUDGETS]
  )
  # Of 5 it leaves 1, and so on: the same strategies, at 4 more.
  np.testing.assert_allclose(paid.value, free.value)
  np.testing.assert_allclose(paid.generations, free.generations + 4)
  np.testing.assert_allclose(paid.flops, free.flops + 4)
  np.testing.assert_array_equal(paid.best, free.best)


@pytest.mark.parametrize("unit", measured.UNITS)
def test_a_budget_that_cannot_pay_for_the_estimate_does_without(unit):
  one, _, level = _world()
  found = compute_optimal.evaluate(
    one, _estimate(level, 4, 4.0), _BUDGETS, unit=unit
  )
  blind = compute_optimal.evaluate(one, estimates.none(_Q), _BUDGETS, unit=unit)
  assert found.estimated.tolist() == [False, False, False, True, True]
  np.testing.assert_allclose(found.value[:, :3], blind.value[:, :3])
  np.testing.assert_allclose(found.flops[:, :3], blind.flops[:, :3])
  assert (found.generations.mean(0) <= _BUDGETS).all()
  # All bins then do the same.
  assert (found.best[:, :3] == found.best[:1, :3]).all()
  assert (found.best[:, 4] != found.best[0, 4]).any()


def test_budgets_in_flops_take_what_fits_them():
  values = {("a", 4): np.full(20, 0.5), ("b", 2): np.full(20, 0.9)}
  # Twice the FLOPs for half the generations.
  one = table(values)
  one = measured.Table(
    **{
      **{f: getattr(one, f) for f in ("names", "budgets", "value")},
      "generations": one.generations,
      "flops": np.where(np.array(one.names) == "b", 8.0, one.flops),
    }
  )
  level = _estimate(np.arange(20.0))
  by_flops = compute_optimal.evaluate(one, level, [4, 8], unit="flops")
  np.testing.assert_allclose(by_flops.value.mean(0), [0.5, 0.9])
  np.testing.assert_allclose(by_flops.flops.mean(0), [4, 8])
  by_generations = compute_optimal.evaluate(one, level, [2, 4])
  np.testing.assert_allclose(by_generations.value.mean(0), [0.9, 0.9])


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"unit": "tokens"}, "unit is 'tokens'; it must be of generations, flops"),
    ({"budgets": [4, 2]}, r"budgets are \[4, 2\]; they must ascend"),
    ({"budgets": [0.5, 2]}, "budget 0 .* pays for no strategy"),
    ({"rule": policy.Rule(caution=1)}, "pays for no baseline of 0"),
  ],
)
def test_what_cannot_be_evaluated_is_refused(options, message):
  one, _, level = _world()
  budgets = options.pop("budgets", _BUDGETS)
  with pytest.raises(errors.InputError, match=message):
    compute_optimal.evaluate(one, _estimate(level), budgets, **options)


def test_families_part_searches_and_revisions():
  names = ["majority", "beam_4", "revisions 1:1", "revised_search"]
  assert policy_summary.families(names) == {
    "search": ["majority", "beam_4"],
    "revisions": ["revisions 1:1"],
    "pooled": names,
  }
  assert list(policy_summary.families(["beam_4"])) == ["search"]


def test_the_summary_is_json_and_says_what_the_world_is():
  one, base, level = _world()
  rng = np.random.default_rng(1)
  found = policy_summary.summarise(
    one,
    [
      estimates.none(_Q),
      _estimate(level),
      _estimate(level + 0.3 * rng.standard_normal(_Q), name="predicted"),
      _estimate(level, 4, 4.0, name="first_4"),
    ],
    base,
    _BUDGETS,
    splits=20,
  )
  json.dumps(found, allow_nan=False)
  assert list(found["families"]) == ["search", "revisions", "pooled"]
  search = found["families"]["search"]
  point = search["oracle"]["generations"]["4"]
  # A quarter of all questions is all that gains 4 times: exactly half do.
  assert point["less_baseline"]["low"] > 0.03
  assert point["speedup"]["mean"] == pytest.approx(2, rel=0.2)
  assert point["speedup"]["bound"] is None
  assert search["oracle"]["generations"]["16"]["speedup"]["bound"] == "at least"
  assert next(iter(point["chosen"][0])).startswith("best_of_n_weighted@")
  assert next(iter(point["chosen"][4])) == "beam_4@4"
  assert search["oracle"]["flops"]["4"]["budget"] == 4.0
  poor = found["families"]["revisions"]["oracle"]["generations"]["1"]
  assert poor["speedup"]["bound"] == "at most"
  shares = found["kept_of_oracle_gain"]["search"]
  oracle, predicted, first, none = (
    shares[name]["generations"]
    for name in ("oracle", "predicted", "first_4", "none")
  )
  assert oracle["share"]["mean"] == pytest.approx(1)
  assert none["share"]["mean"] < 0.5 < predicted["share"]["mean"] < 1
  # It pays more than it gains at such budgets.
  assert first["less_oracle"]["high"] < 0
  head = found["speedup_vs_best_of_n_weighted"]
  assert list(head) == ["generations", "flops"]
  best = found["families"]["pooled"]["predicted"]["generations"]
  assert head["generations"]["difficulty"] == "predicted"
  assert head["generations"]["low"] == max(
    cell["speedup"]["low"] for cell in best.values()
  )
  assert head["generations"]["mean_by_budget"] <= head["generations"]["mean"]


def test_without_a_gain_of_the_oracle_no_share_of_it_is_told():
  rng = np.random.default_rng(0)
  lead = rng.standard_normal(50)
  assert policy_summary.kept(lead, lead - lead.mean())["share"] is None


def test_a_policy_needs_a_baseline_to_be_compared():
  one, _, level = _world()
  with pytest.raises(errors.InputError, match="best_of_n_weighted, which has"):
    policy_summary.summarise(one, [_estimate(level)], {}, _BUDGETS)
