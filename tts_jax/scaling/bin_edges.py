"""Difficulty bins by value: edges that place a question never seen before.

`difficulty.quantile_bins` parts equal scores by their place, for bins of equal
size; a question that arrives alone has no place. Here equal scores share a bin,
so that bins are as even as ties allow: on MATH the paper's came out as 100,
100, 100, 105 and 95.
"""

import chex
import numpy as np

from tts_jax import errors
from tts_jax.scaling import difficulty


def edges(scores: np.ndarray, bins: int = difficulty.BINS) -> np.ndarray:
  """Where quantile bins meet.

  An edge lies halfway between the two scores that it parts; where these are
  equal it is their value, and the tied all fall in the easier bin. Where ties
  reach over a whole bin, two edges are equal and the bin between them is empty.

  Args:
    scores: [Q] float, higher is easier.
    bins: how many.

  Returns:
    [bins - 1] float64, falling: the easiest bin's lower end first.

  Raises:
    InputError: fewer questions than bins, or a score that is not finite.
  """
  chex.assert_rank(scores, 1)
  scores = np.asarray(scores, np.float64)
  check_finite(scores)
  place = difficulty.quantile_bins(scores, bins)
  ranked, order = np.sort(scores)[::-1], np.sort(place)
  first = np.searchsorted(order, np.arange(1, bins))
  return (ranked[first - 1] + ranked[first]) / 2


def place(scores: np.ndarray | float, found: np.ndarray) -> np.ndarray:
  """The bin of each score, 0 for the easiest; a score at an edge is easier.

  Args:
    scores: [...] float.
    found: [bins - 1], as `edges` gives them.

  Returns:
    [...] int64.

  Raises:
    InputError: a score is not finite.
  """
  scores = np.asarray(scores, np.float64)
  check_finite(scores)
  return np.asarray((scores[..., None] < found).sum(-1), np.int64)


def sizes(bins: np.ndarray, count: int = difficulty.BINS) -> list[int]:
  """How many questions each bin has, the easiest first."""
  return [int(size) for size in np.bincount(bins.ravel(), minlength=count)]


def check_finite(scores: np.ndarray) -> None:
  """Refuses an estimate that places a question nowhere.

  Raises:
    InputError: a score is NaN or infinite.
  """
  wrong = np.flatnonzero(~np.isfinite(scores))
  if len(wrong):
    raise errors.InputError(
      f"the difficulty of question {wrong[0]} (from 0) is"
      f" {scores.ravel()[wrong[0]]}; it must be a finite number"
    )
