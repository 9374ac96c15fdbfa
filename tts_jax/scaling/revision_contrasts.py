"""Which ratio of sequential to parallel easy and hard questions want."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tts_jax.scaling import difficulty, intervals

# Bins from 0, the easiest.
EASY, HARD = (0, 1), (3, 4)


def by_difficulty(
  values: Mapping[tuple[int, int], np.ndarray],
  pass_at_1: np.ndarray,
  *,
  seed: int = 0,
) -> dict[str, Any]:
  """Paired differences between ratios, at the largest budget with a mixed one.

  The best of several ratios is best by luck too: each question has the one that
  is best on the other half of its group.

  Args:
    values: {(N, s): [Q]}, of N / s chains of s answers.
    pass_at_1: [Q], which places the bins, of samples that are not these.
    seed: of the resampling.

  Returns:
    {"easy", "hard": {"budget", "sequential_less_other", an interval of one
    chain less the best other ratio, "mixed_less_sequential" and
    "mixed_less_parallel", of the best ratio with chains longer and shorter than
    one}}; {} where no budget has a mixed ratio.
  """
  able = [n for n in sorted({n for n, _ in values}) if len(_mixed(values, n))]
  if not able:
    return {}
  n, bins = able[-1], difficulty.quantile_bins(pass_at_1)
  found = {}
  for name, group in (("easy", EASY), ("hard", HARD)):
    mine = np.isin(bins, group)
    here = {s: own[mine] for (m, s), own in values.items() if m == n}
    mixed = best_of({s: here[s] for s in _mixed(values, n)})
    other = best_of({s: own for s, own in here.items() if s < n})

    def shown(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
      return intervals.paired_difference(a, b, seed=seed).summary()

    found[name] = {
      "budget": n,
      "sequential_less_other": shown(here[n], other),
      "mixed_less_sequential": shown(mixed, here[n]),
      "mixed_less_parallel": shown(mixed, here[1]),
    }
  return found


def best_of(values: Mapping[int, np.ndarray]) -> np.ndarray:
  """[Q]: of each question the one that is best on the other half of them."""
  table = np.stack(list(values.values()), 1)
  half = np.arange(len(table)) % 2
  pick = [table[half != side].mean(0).argmax() for side in (0, 1)]
  return table[np.arange(len(table)), np.array(pick)[half]]


def _mixed(
  values: Mapping[tuple[int, int], np.ndarray], budget: int
) -> list[int]:
  return [s for n, s in values if n == budget and 1 < s < n]
