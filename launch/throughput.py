"""What timed work comes to: lines of a table, and of bench.json."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

WIDTH = 34  # Of names.
HEAD = (
  "  seconds    tokens/s  [low, high]       of floor  rows busy     KV MB"
  "  read/made  compile s"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
  """One thing, timed. What it does not have is None.

  Attributes:
    name: what it is.
    seconds: [repeats], of each turn.
    compile: seconds that the first turn took beyond a later one.
    tokens: that a turn makes, or reads where it makes none.
    floor: seconds that a turn takes at least.
    utilisation: share of the rows put through the model that made a token.
    kv_bytes: of keys and values that there is room for.
    forwarded: tokens put through a model, of those that were made.
    own: figures of this kind of line alone, ready for JSON.
    note: those of them that the table tells.
  """

  name: str
  seconds: np.ndarray
  compile: float
  tokens: float | None = None
  floor: float | None = None
  utilisation: float | None = None
  kv_bytes: int | None = None
  forwarded: float | None = None
  own: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  note: str = ""

  def told(self) -> dict[str, Any]:
    """It as bench.json has it."""
    rate = share = None
    if self.tokens is not None:
      rate = spread(self.tokens / self.seconds)
    if self.floor is not None:
      share = self.floor / float(np.median(self.seconds))
    return {
      "name": self.name,
      "seconds": spread(self.seconds),
      "tokens_per_second": rate,
      "share_of_floor": share,
      "utilisation": self.utilisation,
      "kv_bytes": self.kv_bytes,
      "forwarded_per_token": self.forwarded,
      "compile_seconds": self.compile,
      **self.own,
    }

  def __str__(self) -> str:
    """It as the table has it, below `HEAD`."""
    told = self.told()
    rate = told["tokens_per_second"] or {}
    between = f"[{rate['low']:,.0f}, {rate['high']:,.0f}]" if rate else ""
    kv = None if self.kv_bytes is None else self.kv_bytes / 1e6
    parts = (
      f"{self.name:{WIDTH}}",
      f"{told['seconds']['median']:8.3f}",
      f"{_number(rate.get('median')):>10} {between:20}",
      _number(told["share_of_floor"], ".0%").rjust(7),
      _number(self.utilisation, ".1%").rjust(9),
      _number(kv, ",.1f").rjust(8),
      _number(self.forwarded, ".2f").rjust(9),
      f"{self.compile:9.1f}",
      self.note,
    )
    return "  ".join(parts).rstrip()


def spread(values: np.ndarray) -> dict[str, float]:
  """The median of repeats, and their range."""
  low, median, high = np.quantile(values, (0, 0.5, 1)).tolist()
  return {"median": median, "low": low, "high": high}


def _number(value: float | None, form: str = ",.0f") -> str:
  return "-" if value is None else f"{value:{form}}"
