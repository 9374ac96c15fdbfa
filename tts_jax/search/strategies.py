"""The searches as data: what each asks of the one round that they share.

Every method draws steps in N rows, scores them, keeps the best and continues
those; they differ in four numbers (section 5.2 of the paper; DVTS is from
Beeching et al. 2024). `Rounds` holds these, and the loop knows nothing else.
"""

import abc
import dataclasses
import math
from collections.abc import Callable

from tts_jax import errors

MAX_ROUNDS = 40


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rounds:
  """The settings of the round that all searches share.

  Attributes:
    n: N, rows of a question.
    trees: searches that share the rows evenly and know nothing of each other.
    width: M, the branching factor: of each tree's candidates one in M is kept.
    depth: steps that a score looks ahead.
    max_rounds: after so many a solution without its end is given up; None sets
      no bound but the solution's own.
  """

  n: int
  trees: int = 1
  width: int = 1
  depth: int = 0
  max_rounds: int | None = MAX_ROUNDS

  def __post_init__(self) -> None:
    for name in ("n", "trees", "width"):
      _at_least(name, getattr(self, name), 1)
    _at_least("depth", self.depth, 0)
    if self.max_rounds is not None:
      _at_least("max_rounds", self.max_rounds, 1)
    if self.n < self.width:
      raise errors.InputError(
        f"n is {self.n}; it must be at least the width, {self.width}"
      )
    if self.n % (self.trees * self.width):
      raise errors.InputError(
        f"width is {self.width}; it must divide n, {self.n}"
        + (f", over {self.trees} trees" if self.trees > 1 else "")
      )


def _at_least(name: str, value: int, least: int) -> None:
  if value < least:
    raise errors.InputError(f"{name} is {value}; it must be at least {least}")


class _Strategy(abc.ABC):
  """A search as data: what its settings ask of the round."""

  @property
  @abc.abstractmethod
  def rounds(self) -> Rounds:
    """As the loop takes it."""

  def __post_init__(self) -> None:
    _ = self.rounds  # Refuses settings that make no round.

  @property
  def generations(self) -> int:
    """The budget, in solutions: what is rolled ahead counts as drawn."""
    return self.rounds.n * (self.rounds.depth + 1)


@dataclasses.dataclass(frozen=True)
class BestOfN(_Strategy):
  """N samples, each drawn to its end: a beam search that keeps all.

  Raises:
    errors.InputError: `n` is below 1.
  """

  n: int

  @property
  def rounds(self) -> Rounds:
    """As the loop takes it."""
    return Rounds(n=self.n, max_rounds=None)


@dataclasses.dataclass(frozen=True)
class Beam(_Strategy):
  """Beam search: the best N/M candidates are kept, M continuations of each.

  Raises:
    errors.InputError: a size is below 1, or `width` does not divide `n`.

  Example:
    >>> tts.Beam(n=16, width=4).generations
    16
  """

  n: int
  width: int
  max_rounds: int = MAX_ROUNDS

  @property
  def rounds(self) -> Rounds:
    """As the loop takes it."""
    return Rounds(n=self.n, width=self.width, max_rounds=self.max_rounds)


@dataclasses.dataclass(frozen=True)
class Lookahead(_Strategy):
  """Beam search whose steps are scored `depth` greedy steps later.

  Raises:
    errors.InputError: as `Beam`, or `depth` is below 0.

  Example:
    >>> tts.Lookahead(n=8, width=4, depth=1).generations
    16
  """

  n: int
  width: int
  depth: int
  max_rounds: int = MAX_ROUNDS

  @property
  def rounds(self) -> Rounds:
    """As the loop takes it."""
    beam = Beam(self.n, self.width, self.max_rounds).rounds
    return dataclasses.replace(beam, depth=self.depth)


@dataclasses.dataclass(frozen=True)
class DiverseBeam(_Strategy):
  """DVTS: N/M beam searches of M rows, each keeping its best one.

  Raises:
    errors.InputError: a size is below 1, or `width` does not divide `n`.

  Example:
    >>> tts.DiverseBeam(n=16, width=4).rounds.trees
    4
  """

  n: int
  width: int
  max_rounds: int = MAX_ROUNDS

  @property
  def rounds(self) -> Rounds:
    """As the loop takes it."""
    beam = Beam(self.n, self.width, self.max_rounds).rounds
    return dataclasses.replace(beam, trees=self.n // self.width)


Strategy = BestOfN | Beam | Lookahead | DiverseBeam


def sqrt_width(n: int) -> int:
  """The divisor of `n` nearest to its square root, the lower of two."""
  divisors = [width for width in range(1, n + 1) if n % width == 0]
  return min(divisors, key=lambda width: abs(width - math.sqrt(n)))


def beam_sqrt(budget: int) -> Beam:
  """Beam search of `budget` rows, M = sqrt(N) as near as M divides N."""
  _at_least("budget", budget, 1)
  return Beam(budget, sqrt_width(budget))


def beam_4(budget: int) -> Beam:
  """Beam search with M = 4; M = N below 4, N a multiple of 4 above."""
  _at_least("budget", budget, 1)
  return Beam(*_four(budget))


def dvts_4(budget: int) -> DiverseBeam:
  """DVTS with M = 4; M = N below 4, N a multiple of 4 above."""
  _at_least("budget", budget, 1)
  return DiverseBeam(*_four(budget))


def lookahead_sqrt(budget: int, *, depth: int) -> Lookahead:
  """Lookahead search with M = sqrt(N), of N = budget / (depth + 1) rows.

  N is rounded down.

  Raises:
    errors.InputError: the budget is below depth + 1, that of one row.
  """
  n = _rows(budget, depth)
  return Lookahead(n, sqrt_width(n), depth)


def lookahead_4(budget: int, *, depth: int) -> Lookahead:
  """Lookahead search with M = 4, of N = budget / (depth + 1) rows.

  N is rounded down, from 4 up to a multiple of 4; below it M = N.

  Raises:
    errors.InputError: the budget is below depth + 1, that of one row.
  """
  return Lookahead(*_four(_rows(budget, depth)), depth)


def _four(n: int) -> tuple[int, int]:
  return (n // 4 * 4, 4) if n >= 4 else (n, n)


def _rows(budget: int, depth: int) -> int:
  _at_least("depth", depth, 0)
  _at_least("budget", budget, depth + 1)
  return budget // (depth + 1)


def _lookahead_1(budget: int) -> Strategy:
  return lookahead_sqrt(budget, depth=1)


def _lookahead_3(budget: int) -> Strategy:
  return lookahead_sqrt(budget, depth=3)


# The paper's methods by the names that results carry: budget -> strategy.
BY_NAME: dict[str, Callable[[int], Strategy]] = {
  "best_of_n": BestOfN,
  "beam_sqrt": beam_sqrt,
  "beam_4": beam_4,
  "lookahead_1": _lookahead_1,
  "lookahead_3": _lookahead_3,
  "dvts": dvts_4,
}

# The least budget of a method, where it is above 1: that of one row.
LEAST = {"lookahead_1": 2, "lookahead_3": 4}
