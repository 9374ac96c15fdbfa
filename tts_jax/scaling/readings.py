"""From intervals to a verdict on a claim.

A claim says that a number lies in a range. It holds where the whole interval
does, does not hold where none of it does, and cannot be told otherwise.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

HOLDS, FAILS, UNTOLD = "holds", "does not hold", "cannot tell"

# Means of the same numbers in another order differ by less than this.
ROUNDING = 1e-9

ABOVE, BELOW = (0.0, math.inf), (-math.inf, 0.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
  """A number that a claim speaks of.

  Attributes:
    what: it is.
    mean: of it.
    low: the lower end of its interval.
    high: the upper end; infinite where the number is only bounded from below.
    wanted: the range in which the claim sees it.
    unit: after the number, such as "times".
  """

  what: str
  mean: float
  low: float
  high: float
  wanted: tuple[float, float] = ABOVE
  unit: str = ""

  @property
  def verdict(self) -> str:
    """Of this number alone."""
    least, most = self.wanted
    above = self.low > least + ROUNDING
    below = self.high < most - ROUNDING or math.isinf(most)
    if above and below:
      return HOLDS
    outside = self.high < least - ROUNDING or self.low > most + ROUNDING
    return FAILS if outside else UNTOLD

  def __str__(self) -> str:
    unit = f" {self.unit}" if self.unit else ""
    if math.isinf(self.high):
      return f"{self.what}: {self.mean:.3f}{unit}, at least {self.low:.3f}"
    ends = f"[{self.low:.3f}, {self.high:.3f}]"
    return f"{self.what}: {self.mean:.3f}{unit} {ends}"


def of(
  what: str,
  interval: Mapping[str, Any],
  wanted: tuple[float, float] = ABOVE,
  *,
  unit: str = "",
) -> Reading:
  """The reading of an interval of a summary."""
  ends = {name: float(interval[name]) for name in ("mean", "low", "high")}
  return Reading(what=what, wanted=wanted, unit=unit, **ends)


def difference(
  what: str,
  one: Mapping[str, float],
  other: Mapping[str, float],
  wanted: tuple[float, float] = ABOVE,
) -> Reading:
  """The difference of two means that were measured apart.

  Its interval adds the reaches of both in quadrature, as of independent means:
  where the questions were the same, it is wider than it need be.
  """
  mean = one["mean"] - other["mean"]
  down = math.hypot(one["mean"] - one["low"], other["high"] - other["mean"])
  up = math.hypot(one["high"] - one["mean"], other["mean"] - other["low"])
  return Reading(
    what=f"{what} (measured apart)",
    mean=mean,
    low=mean - down,
    high=mean + up,
    wanted=wanted,
  )


def every(readings: Sequence[Reading]) -> str:
  """A claim of several parts: all must hold, and one that fails refutes it."""
  found = {one.verdict for one in readings}
  if FAILS in found:
    return FAILS
  return HOLDS if found == {HOLDS} else UNTOLD


def some(readings: Sequence[Reading]) -> str:
  """A claim of several places, some of which may show nothing.

  It holds where one shows it and none the contrary, and the reverse.
  """
  found = {one.verdict for one in readings} - {UNTOLD}
  return found.pop() if len(found) == 1 else UNTOLD


def somewhere(readings: Sequence[Reading]) -> str:
  """A claim that one place is enough for; all must fail to refute it."""
  found = {one.verdict for one in readings}
  if HOLDS in found:
    return HOLDS
  return FAILS if found == {FAILS} else UNTOLD


def told(
  claim: str, verdict: str, readings: Sequence[Reading], note: str = ""
) -> dict[str, str]:
  """A claim with its verdict and its evidence, ready for JSON."""
  parts = [*map(str, readings), *([note] if note else [])]
  return {"claim": claim, "verdict": verdict, "evidence": "; ".join(parts)}


def untold(claim: str, why: str) -> dict[str, str]:
  """A claim that a run has no data for, or too few."""
  return {"claim": claim, "verdict": UNTOLD, "evidence": why}
