"""A budget that is met on average: hard questions may have more than easy ones.

Beyond the paper, whose budget is each question's own. Each difficulty bin gets
a strategy, such that expected correctness over all questions is the highest
while their mean spending stays within the budget: at a price of compute each
bin takes what is worth most net of its cost, and the price falls until the
budget is spent (Lagrange's multiplier; Damani et al. 2024 allocate samples
alike). Choices are cross-validated as those of `policy`.

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

# Correctness that the dearest cell's compute must bring, from all to nothing.
_PRICES = np.concatenate([np.logspace(2, -6, 161), [0.0]])


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
  picks, spent = [], []
  for price in _PRICES / spends.max():
    pick = (mean - price * spends).argmax(-1)  # [W, K]
    taken = np.take_along_axis(spends, pick[..., None], -1)[..., 0]
    picks.append(pick)
    spent.append((share * taken).sum(1))
  # The lowest price at which the budget pays for what is taken.
  paid = np.stack(spent)[..., None] <= budgets * (1 + 1e-9)  # [prices, W, B]
  last = len(_PRICES) - 1 - paid[::-1].argmax(0)
  last = np.where(paid.any(0), last, 0)
  found = np.stack(picks)  # [prices, W, K]
  rows, places = np.arange(len(weight)), np.arange(count)
  return found[last[:, None], rows[:, None, None], places[None, :, None]]
