"""The numbers of budgets that are met on average, for `summary.json`."""

from collections.abc import Sequence
from typing import Any

from tts_jax.scaling import (
  allocation,
  estimates,
  measured,
  plans,
  policy_summary,
)

# The family that headlines speak of is the largest.
_LARGEST = ("pooled", "search", plans.REVISIONS)


def summarise(
  table: measured.Table,
  found: Sequence[estimates.Estimate],
  baseline: policy_summary.Baseline,
  budgets: Sequence[int],
  *,
  splits: int = 100,
  seed: int = 0,
) -> dict[str, Any]:
  """Allocations of every family under every estimate, against a baseline.

  Args:
    table: of what was measured.
    found: estimates of the same questions and folds.
    baseline: as of `policy_summary.summarise`, and so is what revisions alone
      are compared with.
    budgets: likewise, means over questions.
    splits: random halvings of each bin.
    seed: of them and of the resampling.

  Returns:
    `families`, {family: {estimate: {unit: as `policy_summary.told`}}};
    `kept_of_oracle_gain`, {family: as `policy_summary.shares`}; and
    `speedup_vs_best_of_n_weighted`, {unit: as `policy_summary.headline`} of the
    largest family under predicted difficulty.

  Raises:
    InputError: as `allocation.evaluate`.
  """
  others = policy_summary.parallel(table)
  kinds = policy_summary.families(list(dict.fromkeys(table.names)))
  shown: dict[str, Any] = {}
  shares: dict[str, Any] = {}
  for family, names in kinds.items():
    mine = table.only(names)
    own = others if family == plans.REVISIONS and others else baseline
    shown[family] = {estimate.name: {} for estimate in found}
    gains: policy_summary.Gains = {}
    for estimate in found:
      for unit in mine.units:
        keys = [n for n in budgets if unit == "generations" or n in own]
        outcome = allocation.evaluate(
          mine,
          estimate,
          policy_summary.unit_budgets(own, keys, unit),
          unit=unit,
          splits=splits,
          seed=seed,
        )
        shown[family][estimate.name][unit] = policy_summary.told(
          outcome, keys, own, seed=seed
        )
        gains[estimate.name, unit] = policy_summary.gain(outcome, keys, own)
    shares[family] = policy_summary.shares(gains, seed=seed)
  family = next(name for name in _LARGEST if name in shown)
  name = policy_summary.headline_estimate(shown[family])
  return {
    "families": shown,
    "kept_of_oracle_gain": shares,
    f"speedup_vs_{policy_summary.BASELINE}": policy_summary.surest(
      shown, family, name
    ),
  }
