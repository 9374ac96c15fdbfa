"""A policy under an estimate of difficulty, whose cost the budget pays.

Axis letters: `Q` questions, `B` budgets, `C` cells.
"""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tts_jax import errors
from tts_jax.scaling import difficulty, estimates, measured, policy

# A strategy chosen less often than this is not shown.
_SHOWN = 0.02


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
  """What a policy is worth, and what it does.

  Attributes:
    table: the cells, in the order of `best` and `chosen`.
    unit: of the budgets, one of `measured.UNITS`.
    budgets: B, the estimate's cost included.
    estimated: [B] bool; where False the budget cannot pay for the estimate and
      a strategy: all questions are taken for alike and nothing is estimated.
    value: [Q, B] float64, cross-validated expected correctness.
    generations: [Q, B], spent, the estimate included.
    flops: [Q, B], likewise.
    chosen: [bins, B, C], in what share of the halves a cell was chosen.
    best: [bins, B] int, the cell that all questions choose.
  """

  table: measured.Table
  unit: str
  budgets: tuple[float, ...]
  estimated: np.ndarray
  value: np.ndarray
  generations: np.ndarray
  flops: np.ndarray
  chosen: np.ndarray
  best: np.ndarray

  def shown(self) -> list[list[dict[str, float]]]:
    """For each bin and budget {label: share}, the most frequent first."""
    labels = self.table.labels
    return [
      [
        {
          labels[cell]: float(shares[cell])
          for cell in np.argsort(-shares, kind="stable")
          if shares[cell] >= _SHOWN
        }
        for shares in by_budget
      ]
      for by_budget in self.chosen
    ]


def evaluate(
  table: measured.Table,
  estimate: estimates.Estimate,
  budgets: Sequence[float],
  *,
  unit: str = "generations",
  bins: int = difficulty.BINS,
  baseline: Sequence[str] = (),
  splits: int = 100,
  seed: int = 0,
  rule: policy.Rule | None = None,
) -> Outcome:
  """Cross-validates the policy that a table gives, and chooses the final one.

  The estimate takes its cost out of the budget, and the strategy has the rest.

  Args:
    table: of what was measured.
    estimate: of the same questions and folds.
    budgets: B, rising.
    unit: of the budgets, one of `measured.UNITS`.
    bins: how many.
    baseline: labels of the cells that a cautious rule prefers, as
      "best_of_n_weighted@16"; of them a budget has the largest that it pays.
    splits: random halvings of each bin.
    seed: of these.
    rule: how to choose.

  Raises:
    InputError: as `policy.cross_validate`; the unit is unknown, or budgets do
      not rise; a cautious rule has no baseline at some budget.
  """
  rule = rule or policy.Rule()

  def choose(
    table: measured.Table,
    room: np.ndarray,
    placed: np.ndarray,
    final: np.ndarray,
  ) -> tuple[policy.CrossValidated, np.ndarray]:
    paid = table.within(room, unit)
    start = _baseline(table, paid, baseline) if rule.caution else None
    settings: dict[str, Any] = {"count": bins, "baseline": start, "rule": rule}
    found = policy.cross_validate(
      table, placed, paid, splits=splits, seed=seed, **settings
    )
    return found, policy.choose(table, final, paid, **settings)

  return assemble(table, estimate, budgets, choose, unit=unit, bins=bins)


# From a table, the cheapest cell first, [B] what there is to spend, and bins
# [F, Q], of folds and of the final policy: what was found, and [bins, B] cells.
Choose = Callable[
  [measured.Table, np.ndarray, np.ndarray, np.ndarray],
  tuple[policy.CrossValidated, np.ndarray],
]


def assemble(
  table: measured.Table,
  estimate: estimates.Estimate,
  budgets: Sequence[float],
  choose: Choose,
  *,
  unit: str,
  bins: int,
) -> Outcome:
  """Chooses at each budget with what the estimate leaves, and adds its cost.

  Where that does not pay for the cheapest cell, all questions are taken for
  alike and nothing is estimated.

  Args:
    table: of what was measured.
    estimate: of the same questions and folds.
    budgets: B, rising.
    choose: chooses cells, for some of the budgets.
    unit: of the budgets, one of `measured.UNITS`.
    bins: how many.

  Raises:
    InputError: the unit is unknown, budgets do not rise, or one pays for
      nothing; as `choose`.
  """
  if unit not in measured.UNITS:
    raise errors.InputError(
      f"unit is {unit!r}; it must be of {', '.join(measured.UNITS)}"
    )
  if any(b <= a for a, b in itertools.pairwise(budgets)):
    raise errors.InputError(f"budgets are {list(budgets)}; they must ascend")
  table = table.cheapest_first(unit)
  policy.check_allowed(table.within(budgets, unit))
  whole = np.asarray(budgets, np.float64)
  rest = whole - float(np.mean(getattr(estimate, unit)))
  estimated = np.asarray(table.within(rest, unit).any(1))
  alike = np.zeros(estimate.value.shape, np.int64)
  shape = table.value.shape[1], len(budgets)
  names = ("value", "generations", "flops")
  sums = {name: np.zeros(shape) for name in names}
  chosen = np.zeros((bins, len(budgets), table.value.shape[2]))
  best = np.zeros((bins, len(budgets)), np.int64)
  for mine, room, placed, final in (
    (estimated, rest, estimate.bins(bins), estimate.final_bins(bins)),
    (np.logical_not(estimated), whole, alike, alike),
  ):
    if not mine.any():
      continue
    found, best[:, mine] = choose(table, room[mine], placed, final)
    for name in names:
      sums[name][:, mine] = getattr(found, name)
    chosen[:, mine] = found.chosen
  sums["generations"][:, estimated] += estimate.generations
  sums["flops"][:, estimated] += estimate.flops[:, None]
  return Outcome(
    table=table,
    unit=unit,
    budgets=tuple(budgets),
    estimated=estimated,
    chosen=chosen,
    best=best,
    **sums,
  )


def _baseline(
  table: measured.Table, allowed: np.ndarray, labels: Sequence[str]
) -> np.ndarray:
  """[B]: the dearest of some cells that each budget pays for."""
  able = allowed & np.isin(table.labels, list(labels))
  poor = np.flatnonzero(~able.any(1))
  if len(poor):
    raise errors.InputError(
      f"budget {poor[0]} (from 0) pays for no baseline of {len(labels)}; a"
      " cautious rule needs one"
    )
  # Cells are in the order of what they spend.
  return table.value.shape[-1] - 1 - able[:, ::-1].argmax(1)
