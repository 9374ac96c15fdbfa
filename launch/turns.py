"""Ways of doing work, each timed at its turn."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tqdm

# Does the work, and gives the seconds that it took.
Way = Callable[[], float]


class Times(NamedTuple):
  """Seconds: [repeats] of each turn, and what the first took beyond these."""

  seconds: np.ndarray
  compile: float


def take(ways: Mapping[str, Way], repeats: int) -> dict[str, Times]:
  """Times each, A B A B, after a first turn that is counted apart."""
  found: dict[str, list[float]] = {name: [] for name in ways}
  for _ in tqdm.trange(repeats + 1, unit="turn", leave=False):
    for name, way in ways.items():
      found[name].append(way())
  return {name: of(seconds) for name, seconds in found.items()}


def of(seconds: Sequence[float]) -> Times:
  """Seconds of a first turn and of later ones."""
  later = np.array(seconds[1:])
  return Times(later, seconds[0] - float(np.median(later)))
