"""Bootstrap intervals over questions.

Questions are what a test set samples from the task, so they are what is
resampled; the samples of a question stay together. `Q` questions, `M` columns
that share each resampling (budgets, methods), so that they may be compared.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator

import chex
import numpy as np

from tts_jax import errors

# Resamplings handled at once; bounds memory at _CHUNK x Q.
_CHUNK = 1000
# Resampled questions that are kept in memory, 8 bytes each.
_KEPT = 8_000_000


@dataclasses.dataclass(frozen=True, eq=False)
class Interval:
  """A mean and its percentile interval.

  Attributes:
    mean: [] or [M], of the values as they are.
    low: as `mean`, the lower end.
    high: as `mean`, the upper end.
  """

  mean: np.ndarray
  low: np.ndarray
  high: np.ndarray

  def summary(self, column: int | None = None) -> dict[str, float]:
    """The three numbers, of one column if there are several, for JSON."""
    index = () if column is None else column
    return {
      field.name: float(np.asarray(getattr(self, field.name))[index])
      for field in dataclasses.fields(self)
    }


def bootstrap(
  values: np.ndarray,
  *,
  seed: int = 0,
  draws: int = 10_000,
  level: float = 0.95,
) -> Interval:
  """The mean over questions with its percentile interval.

  Args:
    values: [Q] or [Q, M] float, one value (or one of each column) a question.
    seed: of the resampling.
    draws: resamplings.
    level: share of the resampled means inside the interval.

  Returns:
    An interval of shape [] or [M].

  Raises:
    InputError: no questions, no draws, or a level outside (0, 1).

  Example:
    >>> found = tts.bootstrap(np.array([0.0, 1.0, 1.0, 1.0]))
    >>> float(found.mean), bool(found.low < 0.75 < found.high)
    (0.75, True)
  """
  ones = np.ones(len(values))
  return bootstrap_ratio(values, ones, seed=seed, draws=draws, level=level)


def bootstrap_ratio(
  totals: np.ndarray,
  counts: np.ndarray,
  *,
  seed: int = 0,
  draws: int = 10_000,
  level: float = 0.95,
) -> Interval:
  """A mean over observations, of which a question may have several.

  The mean is `totals.sum(0) / counts.sum()`; both sums are resampled together.

  Args:
    totals: [Q] or [Q, M] float, the sum of a question's observations.
    counts: [Q], how many observations a question has, at least 1.
    seed: of the resampling.
    draws: resamplings.
    level: share of the resampled means inside the interval.

  Returns:
    An interval of shape [] or [M].

  Raises:
    InputError: no questions, no draws, or a level outside (0, 1).
  """
  chex.assert_rank([totals, counts], [{1, 2}, 1])
  columns = int(np.prod(totals.shape[1:]))
  table = totals.reshape(len(totals), columns).astype(np.float64)
  found = bootstrap_of(
    lambda weights: (weights @ table) / (weights @ counts)[:, None],
    len(totals),
    seed=seed,
    draws=draws,
    level=level,
  )
  shape = totals.shape[1:]
  return Interval(
    mean=found.mean.reshape(shape),
    low=found.low.reshape(shape),
    high=found.high.reshape(shape),
  )


def bootstrap_of(
  statistic: Callable[[np.ndarray], np.ndarray],
  questions: int,
  *,
  seed: int = 0,
  draws: int = 10_000,
  level: float = 0.95,
) -> Interval:
  """Any number of a set of questions, with its percentile interval.

  Args:
    statistic: from [B, Q] float64, how often each question is in each of B
      sets, to [B] or [B, M], one value (or one of each column) a set.
    questions: Q.
    seed: of the resampling.
    draws: resamplings.
    level: share of the resampled values inside the interval.

  Returns:
    An interval of shape [] or [M]; its mean is of each question once.

  Raises:
    InputError: no questions, no draws, or a level outside (0, 1).
  """
  if questions == 0:
    raise errors.InputError("an interval needs at least 1 question, got 0")
  if draws < 1 or not 0 < level < 1:
    raise errors.InputError(
      f"draws = {draws} must be at least 1 and level = {level} inside (0, 1)"
    )
  draw = _kept if draws * questions <= _KEPT else _sets
  sets = draw(questions, draws, seed)
  found = [statistic(weights) for weights in sets]
  tail = (1 - level) / 2
  low, high = np.quantile(np.concatenate(found), [tail, 1 - tail], axis=0)
  return Interval(
    mean=statistic(np.ones((1, questions)))[0], low=low, high=high
  )


def paired_difference(
  a: np.ndarray,
  b: np.ndarray,
  *,
  seed: int = 0,
  draws: int = 10_000,
  level: float = 0.95,
) -> Interval:
  """The mean of `a - b` on the same questions, with its interval.

  Narrower than two intervals side by side would suggest: a question that is
  hard for both methods moves both means together.

  Args:
    a: [Q] or [Q, M] float.
    b: as `a`, on the same questions in the same order.
    seed: of the resampling.
    draws: resamplings.
    level: share of the resampled differences inside the interval.

  Returns:
    An interval of shape [] or [M].

  Raises:
    InputError: as `bootstrap`.
  """
  chex.assert_equal_shape([a, b])
  difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
  return bootstrap(difference, seed=seed, draws=draws, level=level)


def _sets(questions: int, draws: int, seed: int) -> Iterator[np.ndarray]:
  """How often each question was drawn, [B, Q] float64, of all resamplings."""
  rng = np.random.default_rng(seed)
  for start in range(0, draws, _CHUNK):
    size = min(_CHUNK, draws - start)
    picks = rng.integers(questions, size=(size, questions))
    picks += questions * np.arange(size)[:, None]
    tally = np.bincount(picks.ravel(), minlength=size * questions)
    weights = tally.reshape(size, questions).astype(np.float64)
    weights.flags.writeable = False
    yield weights


@functools.lru_cache(maxsize=4)
def _kept(questions: int, draws: int, seed: int) -> tuple[np.ndarray, ...]:
  """`_sets`, drawn once for the hundreds of intervals of a summary."""
  return tuple(_sets(questions, draws, seed))
