"""Every strategy that was measured, side by side on the same questions.

A cell is one strategy at one budget. Axis letters: `F` folds of the pool's
samples, `Q` questions, `C` cells. A choice among the pool's samples has a value
in each fold, of the samples that did not place the question; a search or a
chain draws samples of its own and is the same in all.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tts_jax import errors
from tts_jax.scaling import difficulty

# What budgets are counted in; fields of cells, tables, estimates and policies.
UNITS = ("generations", "flops")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Cell:
  """One strategy at one budget.

  Attributes:
    value: [Q], or [F, Q] where folds differ: expected correctness.
    generations: [Q], spent.
    flops: [Q], spent; all NaN where they are not known.
  """

  value: np.ndarray
  generations: np.ndarray
  flops: np.ndarray


Measured = Mapping[str, Mapping[int, Cell]]


def known(spent: np.ndarray) -> bool:
  """Whether it is known what was spent: there is no NaN."""
  return not np.isnan(spent).any()


def flops(spent: np.ndarray) -> dict[str, float]:
  """{"flops": the mean}, ready for JSON; nothing where they are not known."""
  return {"flops": float(spent.mean())} if known(spent) else {}


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Table:
  """All cells, those of the smallest budget first.

  Attributes:
    names: C names of strategies.
    budgets: [C] int, generations that the strategy was given.
    value: [F, Q, C] float64.
    generations: [Q, C] float64.
    flops: [Q, C] float64, NaN where they are not known.
  """

  names: tuple[str, ...]
  budgets: np.ndarray
  value: np.ndarray
  generations: np.ndarray
  flops: np.ndarray

  @property
  def labels(self) -> tuple[str, ...]:
    """C labels, as "beam_4@16"."""
    return tuple(
      f"{name}@{budget}"
      for name, budget in zip(self.names, self.budgets, strict=True)
    )

  @property
  def units(self) -> tuple[str, ...]:
    """Those of `UNITS` in which it is known what every cell spends."""
    return tuple(one for one in UNITS if known(getattr(self, one)))

  def only(self, names: Sequence[str]) -> "Table":
    """The cells of some strategies.

    Raises:
      InputError: there are none of them.
    """
    return self._take(np.flatnonzero(np.isin(self.names, list(names))))

  def cheapest_first(self, unit: str) -> "Table":
    """The same cells in the order of what they spend on average."""
    spent = getattr(self, unit).mean(0)
    return self._take(np.lexsort((self.flops.mean(0), spent)))

  def within(
    self, budgets: Sequence[float] | np.ndarray, unit: str
  ) -> np.ndarray:
    """[B, C] bool: the cells whose mean spending fits each budget.

    A budget is a bound, not a duty: any strategy that was measured with as much
    or less may be used.

    Args:
      budgets: B.
      unit: one of `UNITS`.
    """
    # A budget in FLOPs is often the mean of one of the cells.
    room = np.asarray(budgets, np.float64)[:, None] * (1 + 1e-9)
    return getattr(self, unit).mean(0) <= room

  def _take(self, cells: np.ndarray) -> "Table":
    if not len(cells):
      raise errors.InputError(
        "a policy needs at least one measured strategy; there is none"
      )
    return Table(
      names=tuple(self.names[cell] for cell in cells),
      budgets=self.budgets[cells],
      value=self.value[..., cells],
      generations=self.generations[:, cells],
      flops=self.flops[:, cells],
    )


def table(
  measured: Measured,
  question_ids: Sequence[str],
  folds: int = len(difficulty.FOLDS),
) -> Table:
  """Lays out what was measured.

  Args:
    measured: {strategy: {budget: its cell}}.
    question_ids: Q ids, in the order of all cells.
    folds: F.

  Raises:
    InputError: nothing was measured, or a cell lacks questions or folds, or
      holds a number that is not finite.
  """
  cells = [
    (name, budget, _checked(name, budget, cell, question_ids, folds))
    for name, by_budget in measured.items()
    for budget, cell in by_budget.items()
  ]
  if not cells:
    raise errors.InputError(
      "a policy needs at least one measured strategy; there is none"
    )
  cells.sort(key=lambda one: (one[1], float(one[2].flops.mean())))
  shape = folds, len(question_ids)

  def stacked(name: str) -> np.ndarray:
    return np.stack([getattr(cell, name) for *_, cell in cells], -1).astype(
      np.float64
    )

  return Table(
    names=tuple(name for name, *_ in cells),
    budgets=np.array([budget for _, budget, _ in cells]),
    value=np.stack(
      [np.broadcast_to(cell.value, shape) for *_, cell in cells], -1
    ).astype(np.float64),
    generations=stacked("generations"),
    flops=stacked("flops"),
  )


def _checked(
  name: str, budget: int, cell: Cell, ids: Sequence[str], folds: int
) -> Cell:
  shapes: dict[str, Any] = {
    "value": ((len(ids),), (folds, len(ids))),
    "generations": ((len(ids),),),
    "flops": ((len(ids),),),
  }
  for field, allowed in shapes.items():
    numbers = np.asarray(getattr(cell, field))
    if numbers.shape not in allowed:
      raise errors.InputError(
        f"{field} of {name} at budget {budget} has shape {numbers.shape};"
        f" {len(ids)} questions are wanted"
        + (f" in {folds} folds, or in one" if field == "value" else "")
      )
    if field == "flops" and np.isnan(numbers).all():
      continue
    wrong = np.argwhere(~np.isfinite(numbers))
    if len(wrong):
      raise errors.InputError(
        f"{field} of {name} at budget {budget} is not finite for question"
        f" {ids[wrong[0][-1]]}; every question needs a number"
      )
  return cell
