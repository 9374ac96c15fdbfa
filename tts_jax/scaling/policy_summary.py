"""The numbers of compute-optimal policies, for `summary.json`.

Axis letters: `Q` questions, `B` budgets, `M` budgets of the baseline.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tts_jax import errors
from tts_jax.scaling import (
  compute_optimal,
  estimates,
  intervals,
  measured,
  plans,
  policy,
  speedup,
)

BASELINE = "best_of_n_weighted"
# What revisions are compared with: as many single answers of the same model.
PARALLEL = "parallel"
# The estimate that headlines speak of: it reads no ground truth.
_HEADLINE = ("predicted", estimates.ORACLE)

Baseline = Mapping[int, measured.Cell]
# By estimate and unit, [Q]: as `gain` gives it.
Gains = dict[tuple[str, str], np.ndarray]


def families(names: Sequence[str]) -> dict[str, list[str]]:
  """What may go into a policy: searches, revisions, and all of them.

  Args:
    names: of the strategies measured.

  Returns:
    {"search", "revisions", "pooled": names}, without those that are empty;
    "pooled" where both others are there.
  """
  revised = [name for name in names if name.startswith(plans.REVISIONS)]
  kept = set(revised) | {plans.COMBINED}
  searched = [name for name in names if name not in kept]
  found = {"search": searched, "revisions": revised}
  if searched and revised:
    found["pooled"] = list(names)
  return {name: mine for name, mine in found.items() if mine}


def summarise(
  table: measured.Table,
  found: Sequence[estimates.Estimate],
  baseline: Baseline,
  budgets: Sequence[int],
  *,
  splits: int = 100,
  seed: int = 0,
  rule: policy.Rule | None = None,
) -> dict[str, Any]:
  """Policies of every family under every estimate, against a baseline.

  Args:
    table: of what was measured.
    found: estimates of the same questions and folds.
    baseline: best-of-N weighted by its budgets, over the whole pool: it reads
      no difficulty, so no sample need be held out.
    budgets: in generations, rising. In FLOPs the budgets are what the baseline
      spends at those of them that it has.
    splits: random halvings of each bin.
    seed: of them and of the resampling.
    rule: how to choose.

  Returns:
    What follows, of FLOPs only where they are known.
    `splits`; `baseline`, {n: value, generations, flops}, and `parallel`
    likewise, of the revision model's single answers, which revisions are
    compared with where they were measured; `families`, {family: {estimate:
    {unit: as `told`}}}; `kept_of_oracle_gain`, {family: {estimate: {unit: as
    `kept`}}}; `pooled_less`, {family: {estimate: {unit: {n: interval}}}},
    paired, of all strategies less a family's; `speedup_vs_best_of_n_weighted`,
    {unit: as `headline`} of all strategies under predicted difficulty, and
    `speedup_vs_parallel` of revisions.

  Raises:
    InputError: as `compute_optimal.evaluate`; there is no baseline.
  """
  if not baseline:
    raise errors.InputError(
      f"a policy is compared with {BASELINE}, which has no budget here"
    )
  shown: dict[str, Any] = {}
  kept_: dict[str, Any] = {}
  values: dict[tuple[str, str, str], dict[int, np.ndarray]] = {}
  kinds = families(list(dict.fromkeys(table.names)))
  others = parallel(table)
  for family, names in kinds.items():
    mine = table.only(names)
    own = others if family == plans.REVISIONS and others else baseline
    gains: Gains = {}
    shown[family] = {}
    for estimate in found:
      shown[family][estimate.name] = {}
      for unit in mine.units:
        keys = [n for n in budgets if unit == "generations" or n in own]
        outcome = compute_optimal.evaluate(
          mine,
          estimate,
          unit_budgets(own, keys, unit),
          unit=unit,
          baseline=[
            f"{BASELINE}@{n}" if own is baseline else _parallel_label(n)
            for n in own
          ],
          splits=splits,
          seed=seed,
          rule=rule,
        )
        told_ = told(outcome, keys, own, seed=seed)
        shown[family][estimate.name][unit] = told_
        gains[estimate.name, unit] = gain(outcome, keys, own)
        values[family, estimate.name, unit] = dict(
          zip(keys, outcome.value.T, strict=True)
        )
    kept_[family] = shares(gains, seed=seed)
  family = "pooled" if "pooled" in shown else next(iter(shown))
  name = headline_estimate(shown[family])
  result = {
    "splits": splits,
    "baseline": _curve(baseline, seed),
    "families": shown,
    "kept_of_oracle_gain": kept_,
    "pooled_less": _pooled_less(values, list(kinds), seed),
    f"speedup_vs_{BASELINE}": surest(shown, family, name),
  }
  if others and plans.REVISIONS in shown:
    result[PARALLEL] = _curve(others, seed)
    result[f"speedup_vs_{PARALLEL}"] = surest(shown, plans.REVISIONS, name)
  return result


def parallel(table: measured.Table) -> dict[int, measured.Cell]:
  """Chains of one answer each, by their number: revisions without revising."""
  places = {label: cell for cell, label in enumerate(table.labels)}
  found = {}
  for n in sorted(set(table.budgets.tolist())):
    cell = places.get(_parallel_label(n))
    if cell is not None:
      found[n] = measured.Cell(
        value=table.value[..., cell].mean(0),
        generations=table.generations[:, cell],
        flops=table.flops[:, cell],
      )
  return found


def _parallel_label(n: int) -> str:
  return f"{plans.ratio_name(1, n)}@{n}"


def _curve(baseline: Baseline, seed: int) -> dict[str, Any]:
  return {
    str(n): {
      "value": intervals.bootstrap(cell.value, seed=seed).summary(),
      "generations": float(cell.generations.mean()),
      **measured.flops(cell.flops),
    }
    for n, cell in sorted(baseline.items())
  }


def _pooled_less(
  values: Mapping[tuple[str, str, str], Mapping[int, np.ndarray]],
  kinds: Sequence[str],
  seed: int,
) -> dict[str, Any]:
  """The pooled policy less another family's, where it is told of."""
  found: dict[str, Any] = {}
  for (family, name, unit), mine in values.items():
    whole = values.get(("pooled", name, unit), {})
    # In FLOPs a budget is what a family's own baseline spends.
    same = [n for n in mine if n in whole and unit == measured.UNITS[0]]
    if "pooled" not in kinds or family == "pooled" or not same:
      continue
    difference = intervals.paired_difference(
      np.stack([whole[n] for n in same], 1),
      np.stack([mine[n] for n in same], 1),
      seed=seed,
    )
    found.setdefault(family, {}).setdefault(name, {})[unit] = {
      str(n): difference.summary(column) for column, n in enumerate(same)
    }
  return found


def unit_budgets(
  baseline: Baseline, keys: Sequence[int], unit: str
) -> list[float]:
  """Budgets of generations, or what the baseline spends at them in FLOPs."""
  if unit == "generations":
    return list(keys)
  return [float(getattr(baseline[n], unit).mean()) for n in keys]


def told(
  outcome: compute_optimal.Outcome,
  keys: Sequence[int],
  baseline: Baseline,
  *,
  seed: int = 0,
) -> dict[str, Any]:
  """One policy's curve, ready for JSON.

  Args:
    outcome: of B budgets.
    keys: B, what to call them: the baseline's generations.
    baseline: as of `summarise`.
    seed: of the resampling.

  Returns:
    {key: `budget`; `value`, an interval, cross-validated; `generations` and
    `flops` spent; `estimated`; `less_baseline`, paired, where the baseline has
    that budget; `speedup`, by what is spent, and `speedup_by_budget`, by what
    could have been, as `speedup.at_equal_accuracy`; `chosen`, for each bin}.
  """
  unit = outcome.unit
  ordered = [cell for _, cell in sorted(baseline.items())]
  other = speedup.Curve(
    value=np.stack([cell.value for cell in ordered], 1),
    spent=np.stack([getattr(cell, unit) for cell in ordered], 1) * 1.0,
  )
  spent = getattr(outcome, unit)
  whole = np.broadcast_to(np.array(outcome.budgets, np.float64), spent.shape)
  values = intervals.bootstrap(outcome.value, seed=seed)
  ratios = [
    speedup.at_equal_accuracy(
      speedup.Curve(value=outcome.value, spent=mine), other, seed=seed
    )
    for mine in (spent, whole)
  ]
  shown = outcome.shown()
  able = [column for column, key in enumerate(keys) if key in baseline]
  less: dict[int, dict[str, float]] = {}
  if able:
    differences = intervals.paired_difference(
      outcome.value[:, able],
      np.stack([baseline[keys[column]].value for column in able], 1),
      seed=seed,
    )
    less = {
      column: differences.summary(place) for place, column in enumerate(able)
    }
  result: dict[str, Any] = {}
  for column, key in enumerate(keys):
    result[str(key)] = {
      "budget": float(outcome.budgets[column]),
      "value": values.summary(column),
      "generations": float(outcome.generations[:, column].mean()),
      **measured.flops(outcome.flops[:, column]),
      "estimated": bool(outcome.estimated[column]),
      "less_baseline": less.get(column),
      "speedup": ratios[0][column],
      "speedup_by_budget": ratios[1][column],
      "chosen": [by_budget[column] for by_budget in shown],
    }
  return result


def gain(
  outcome: compute_optimal.Outcome, keys: Sequence[int], baseline: Baseline
) -> np.ndarray:
  """[Q]: the mean over budgets of what a policy is above the baseline."""
  columns = [index for index, key in enumerate(keys) if key in baseline]
  if not columns:
    return np.zeros(len(outcome.value))
  differences = [
    outcome.value[:, column] - baseline[keys[column]].value
    for column in columns
  ]
  return np.mean(differences, axis=0)


def shares(gains: Gains, *, seed: int = 0) -> dict[str, Any]:
  """{estimate: {unit: as `kept`}}; {} where there is no oracle to compare with.

  Args:
    gains: of all estimates in all units.
    seed: of the resampling.
  """
  found: dict[str, Any] = {}
  for (name, unit), mine in gains.items():
    oracle = gains.get((estimates.ORACLE, unit))
    if oracle is not None:
      found.setdefault(name, {})[unit] = kept(mine, oracle, seed=seed)
  return found


def kept(
  mine: np.ndarray, oracle: np.ndarray, *, seed: int = 0
) -> dict[str, Any]:
  """What share of the oracle's gain another estimate keeps.

  Args:
    mine: [Q], as `gain` gives it.
    oracle: [Q], that of oracle difficulty.
    seed: of the resampling.

  Returns:
    `gain`, an interval; `less_oracle`, paired; and `share`, an interval, None
    where the oracle's own gain may be none: a share of it would say nothing.
  """
  own = intervals.bootstrap(oracle, seed=seed)
  share = None
  if own.low > 0:
    share = intervals.bootstrap_of(
      lambda weights: (weights @ mine) / (weights @ oracle),
      len(mine),
      seed=seed,
    ).summary()
  return {
    "gain": intervals.bootstrap(mine, seed=seed).summary(),
    "less_oracle": intervals.paired_difference(
      mine, oracle, seed=seed
    ).summary(),
    "share": share,
  }


def headline_estimate(by_estimate: Mapping[str, Any]) -> str:
  """The estimate that headlines speak of: predicted, or else what is there."""
  return next(
    (one for one in _HEADLINE if one in by_estimate), next(iter(by_estimate))
  )


def surest(
  shown: Mapping[str, Any], family: str, estimate: str
) -> dict[str, Any]:
  """{unit: as `headline`}, with the names of the family and the estimate."""
  return {
    unit: {
      "family": family,
      "difficulty": estimate,
      **headline(shown[family][estimate][unit]),
    }
    for unit in shown[family][estimate]
  }


def headline(curve: Mapping[str, Any]) -> dict[str, Any]:
  """The point of a policy's curve whose speed-up is surest.

  The one of the highest lower end: an end of an interval is less swayed by the
  luck of one point than its mean is.

  Args:
    curve: as `told` gives it.

  Returns:
    `at`, its key, `mean`, `low`, `high`, `bound`, `never_reached`, `value` and
    `spent`; and `mean_by_budget`, `low_by_budget` and `high_by_budget`.
  """
  at = max(curve, key=lambda key: curve[key]["speedup"]["low"])
  by_budget = curve[at]["speedup_by_budget"]
  return {
    "at": int(at),
    **curve[at]["speedup"],
    **{f"{end}_by_budget": by_budget[end] for end in ("mean", "low", "high")},
  }
