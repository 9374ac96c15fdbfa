"""Difficulty bins, and scores by bin on samples that the bins did not see.

Bins are quantiles of pass@1. A question that was lucky in the samples which
placed it would look easy and then be scored on that same luck; so the even
samples place it and the odd ones score it, then the other way round, and the
two are averaged. Section 3.2 of the paper has the quintiles, and two folds for
choosing a strategy.
"""

import dataclasses
from collections.abc import Callable, Sequence

import chex
import numpy as np

from tts_jax import errors
from tts_jax.scaling import estimators, intervals

BINS = 5

# Each fold of the samples: the columns that place, and those that are scored.
FOLDS = (
  (slice(0, None, 2), slice(1, None, 2)),
  (slice(1, None, 2), slice(0, None, 2)),
)


@dataclasses.dataclass(frozen=True, eq=False)
class BinScore:
  """One bin's score.

  Attributes:
    questions: how many questions each fold placed here.
    score: [] or [M], over the questions placed here by either fold.
  """

  questions: int
  score: intervals.Interval


def quantile_bins(scores: np.ndarray, bins: int = BINS) -> np.ndarray:
  """Cuts questions into bins of equal size, the easiest first.

  Sizes differ by one at most: equal scores at an edge are parted by their
  place in the input, where the paper's bins came out uneven.

  Args:
    scores: [Q] float, higher is easier.
    bins: how many.

  Returns:
    [Q] int, 0 for the easiest to `bins - 1`.

  Raises:
    InputError: fewer questions than bins.

  Example:
    >>> tts.quantile_bins(np.array([0.9, 0.1, 0.5, 0.4]), bins=2).tolist()
    [0, 1, 0, 1]
  """
  chex.assert_rank(scores, 1)
  questions = len(scores)
  if bins < 1 or questions < bins:
    raise errors.InputError(
      f"{questions} questions cannot fill {bins} difficulty bins;"
      f" at least {max(bins, 1)} questions are needed"
    )
  order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
  assignment = np.empty(questions, np.int64)
  assignment[order] = np.arange(questions) * bins // questions
  return assignment


def binned_pass_at_1(
  correct: np.ndarray, *, bins: int = BINS, seed: int = 0
) -> list[BinScore]:
  """pass@1 by bin, each fold scored on the samples that did not place it.

  Args:
    correct: [Q, N] bool, N at least 2.
    bins: how many.
    seed: of the intervals.

  Returns:
    `bins` scores of shape [], the easiest bin first.

  Raises:
    InputError: fewer questions than bins, or fewer than 2 samples.
  """
  return cross_fitted(
    correct, lambda held: correct[:, held].mean(1), bins=bins, seed=seed
  )


def binned_pass_at_k(
  correct: np.ndarray,
  ks: Sequence[int],
  *,
  bins: int = BINS,
  seed: int = 0,
) -> list[BinScore]:
  """pass@k by bin; every k must fit half the pool.

  Args:
    correct: [Q, N] bool, N at least 2.
    ks: M budgets, each between 1 and N // 2.
    bins: how many.
    seed: of the intervals.

  Returns:
    `bins` scores of shape [M], the easiest bin first.

  Raises:
    InputError: fewer questions than bins, or a budget above half the pool.

  Example:
    >>> correct = np.array([[True] * 4, [False, True] * 2])
    >>> easy, hard = tts.binned_pass_at_k(correct, [1, 2], bins=2)
    >>> easy.score.mean.tolist(), easy.questions
    ([1.0, 1.0], 1)
  """
  return cross_fitted(
    correct,
    lambda held: estimators.pass_at_k(correct[:, held], ks),
    bins=bins,
    seed=seed,
  )


def binned_majority_at_k(
  answers: np.ndarray,
  correct: np.ndarray,
  ks: Sequence[int],
  *,
  bins: int = BINS,
  seed: int = 0,
  draws: int = 1000,
) -> list[BinScore]:
  """majority@k by bin; every k must fit half the pool.

  Args:
    answers: [Q, N] int32, -1 for no answer.
    correct: [Q, N] bool, N at least 2.
    ks: M budgets, each between 1 and N // 2.
    bins: how many.
    seed: of the random subsets and of the intervals.
    draws: random subsets for each question.

  Returns:
    `bins` scores of shape [M], the easiest bin first.

  Raises:
    InputError: fewer questions than bins, or a budget above half the pool.
  """

  def score(held: slice) -> np.ndarray:
    return estimators.majority_at_k(
      answers[:, held], correct[:, held], ks, seed=seed, draws=draws
    )

  return cross_fitted(correct, score, bins=bins, seed=seed)


def cross_fitted(
  correct: np.ndarray,
  evaluate: Callable[[slice], np.ndarray],
  *,
  bins: int = BINS,
  seed: int = 0,
) -> list[BinScore]:
  """Averages over two folds what `evaluate` makes of the held-out samples.

  Args:
    correct: [Q, N] bool, what places the questions.
    evaluate: from the columns of the held-out samples to [Q] or [Q, M] values.
      It must read no other columns.
    bins: how many.
    seed: of the intervals, which resample the questions of a bin and take the
      placing as given.

  Returns:
    `bins` scores, the easiest bin first.

  Raises:
    InputError: fewer questions than bins, or fewer than 2 samples.
  """
  chex.assert_rank(correct, 2)
  if correct.shape[1] < 2:
    raise errors.InputError(
      f"a pool of {correct.shape[1]} samples a question cannot be halved;"
      " difficulty bins need at least 2"
    )
  folds = [
    (quantile_bins(correct[:, seen].mean(1), bins), evaluate(held))
    for seen, held in FOLDS
  ]
  return [_score(folds, index, seed) for index in range(bins)]


def _score(
  folds: Sequence[tuple[np.ndarray, np.ndarray]], index: int, seed: int
) -> BinScore:
  totals = np.zeros(folds[0][1].shape)
  counts = np.zeros(len(totals), np.int64)
  for assignment, values in folds:
    placed = assignment == index
    totals[placed] += values[placed]
    counts[placed] += 1
  # A question that both folds place here is one draw with two observations.
  members = counts > 0
  return BinScore(
    questions=int((folds[0][0] == index).sum()),
    score=intervals.bootstrap_ratio(
      totals[members], counts[members], seed=seed
    ),
  )
