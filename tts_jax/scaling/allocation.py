"""A budget that is met on average: hard questions may have more than easy ones.

Beyond the paper, whose budget is each question's own. Each difficulty bin gets
a strategy, such that expected correctness over all questions is the highest
while their mean spending stays within the budget (Damani et al. 2024 allocate
samples alike). Of all allocations those are kept, bin by bin, than which none
that costs as little is worth more; a budget buys the dearest of them that it
pays for. Choices are cross-validated as those of `policy`.

Axis letters: `F` folds, `Q` questions, `C` cells, `B` budgets, `R` splits, `K`
bins, `W` weighings of questions.
"""

from collections.abc import Sequence

import numpy as np

from tts_jax import errors
from tts_jax.scaling import (
  compute_optimal,
  difficulty,
  estimates,
  measured,
  policy,
)

# Correctness that is no gain.
_ROUNDING = 1e-9


def evaluate(
  table: measured.Table,
  estimate: estimates.Estimate,
  budgets: Sequence[float],
  *,
  unit: str = "generations",
  bins: int = difficulty.BINS,
  splits: int = 100,
  seed: int = 0,
) -> compute_optimal.Outcome:
  """Cross-validates the allocation that a table gives, and the final one.

  Args:
    table: of what was measured.
    estimate: of the same questions and folds; its cost is in the budget.
    budgets: B, rising, means over questions.
    unit: of the budgets, one of `measured.UNITS`.
    bins: K.
    splits: R, random halvings of each bin.
    seed: of these.

  Returns:
    The outcome. Where a budget cannot pay for the estimate and the cheapest
    cell, all questions are taken for alike and nothing is estimated.

  Raises:
    InputError: as `compute_optimal.assemble`; there are fewer questions than
      two a bin, or no split.
  """
  questions = table.value.shape[1]
  if questions < 2 * bins or splits < 1:
    raise errors.InputError(
      f"{questions} questions, {splits} splits: an allocation to {bins} bins"
      f" needs at least {2 * bins} questions and 1 split"
    )

  def choose(
    table: measured.Table,
    room: np.ndarray,
    placed: np.ndarray,
    final: np.ndarray,
  ) -> tuple[policy.CrossValidated, np.ndarray]:
    found = _cross_validate(
      table, unit, placed, room, count=bins, splits=splits, seed=seed
    )
    # Each fold's questions, one below the other.
    rows = np.concatenate(table.value)
    cost = np.concatenate([getattr(table, unit)] * len(final))
    everyone = np.ones((1, len(rows)))
    best = _choose(rows, cost, final.ravel(), everyone, room, bins)[0]
    return found, best

  return compute_optimal.assemble(
    table, estimate, budgets, choose, unit=unit, bins=bins
  )


def _cross_validate(
  table: measured.Table,
  unit: str,
  bins: np.ndarray,  # [F, Q]
  budgets: np.ndarray,  # [B]
  *,
  count: int,
  splits: int,
  seed: int,
) -> policy.CrossValidated:
  """Allocates on halves of all bins, measures each on the other halves."""
  rng = np.random.default_rng(seed)
  cost, shape = getattr(table, unit), (bins.shape[1], len(budgets))
  sums = {name: np.zeros(shape) for name in ("value", "generations", "flops")}
  chosen = np.zeros((count, len(budgets), cost.shape[1]))
  for value, placed in zip(table.value, bins, strict=True):
    side = policy.halve(placed, splits, rng)
    for half in (False, True):
      weight = (side == half).astype(np.float64)
      pick = _choose(value, cost, placed, weight, budgets, count)  # [R, K, B]
      for index in range(count):
        where = np.arange(len(budgets)), pick[:, index]
        np.add.at(chosen[index], where, 1)
      for mine, cells in zip(side, pick, strict=True):
        other = np.flatnonzero(mine != half)
        taken = other[:, None], cells[placed[other]]
        sums["value"][other] += value[taken]
        sums["generations"][other] += table.generations[taken]
        sums["flops"][other] += table.flops[taken]
  times = len(bins) * splits
  return policy.CrossValidated(
    **{name: one / times for name, one in sums.items()},
    chosen=chosen / (2 * times),
  )


def _choose(
  value: np.ndarray,  # [rows, C]
  cost: np.ndarray,  # [rows, C]
  bins: np.ndarray,  # [rows]
  weight: np.ndarray,  # [W, rows]
  budgets: np.ndarray,  # [B]
  count: int,
) -> np.ndarray:
  """[W, K, B]: the cell of each bin, under each weighing of questions."""
  means, costs, shares = [], [], []
  for index in range(count):
    here = weight * (bins == index)
    size = here.sum(1, keepdims=True)
    shares.append(size[:, 0] / weight.sum(1))
    # A bin that no question fills is taken for all of them.
    here = np.where(size > 0, here, weight)
    here = here / here.sum(1, keepdims=True)
    means.append(here @ value)
    costs.append(here @ cost)
  mean, spends, share = (np.stack(one, 1) for one in (means, costs, shares))
  return np.stack(
    [_allocate(*one, budgets) for one in zip(mean, spends, share, strict=True)]
  )


def _allocate(
  mean: np.ndarray,  # [K, C]
  spends: np.ndarray,  # [K, C]
  share: np.ndarray,  # [K]
  budgets: np.ndarray,  # [B]
) -> np.ndarray:
  """[K, B]: the best allocation that each budget pays for, or the cheapest."""
  picks = np.zeros((len(mean), len(budgets)), np.int64)
  cost, worth = np.zeros(1), np.zeros(1)
  cells = np.zeros((1, 0), np.int64)
  filled = share > 0
  for index, part in enumerate(share):
    own = _undominated(spends[index], mean[index])
    if not filled[index]:
      # Of no weight, it has each question's budget.
      picks[index] = own[_pays(spends[index, own], budgets)]
      continue
    total = (cost[:, None] + part * spends[index, own]).ravel()
    gained = (worth[:, None] + part * mean[index, own]).ravel()
    keep = _undominated(total, gained)
    before, last = np.divmod(keep, len(own))
    cells = np.column_stack([cells[before], own[last]])
    cost, worth = total[keep], gained[keep]
  picks[filled] = cells[_pays(cost, budgets)].T
  return picks


def _pays(cost: np.ndarray, budgets: np.ndarray) -> np.ndarray:
  """Of rising costs, the index of the highest within each budget, or 0."""
  paid = np.searchsorted(cost, budgets * (1 + _ROUNDING), side="right") - 1
  return np.maximum(paid, 0)


def _undominated(cost: np.ndarray, worth: np.ndarray) -> np.ndarray:
  """Indices of what is worth more than all that costs no more, by cost."""
  order = np.lexsort((-worth, cost))
  most = np.maximum.accumulate(worth[order])
  gains = np.diff(most, prepend=-np.inf) > _ROUNDING
  return order[gains]
