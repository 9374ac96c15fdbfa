"""What a budget of k samples is worth, expected over subsets of a pool.

A pool holds N samples of each of Q questions; `M` is the number of budgets in
`ks`. A value at budget k is the expectation over all subsets of k samples drawn
without replacement: the first k samples alone would waste the others.
"""

from collections.abc import Sequence

import chex
import numpy as np

from tts_jax import errors
from tts_jax.scaling import subsets


def pass_at_k(correct: np.ndarray, ks: Sequence[int]) -> np.ndarray:
  """The chance that k samples hold a correct one, without bias.

  With c correct samples of N this is `1 - C(N - c, k) / C(N, k)`. The ratio is
  built up in c as a product of factors between 0 and 1, so that no binomial
  coefficient is ever formed and nothing overflows.

  Args:
    correct: [Q, N] bool.
    ks: M budgets, each between 1 and N.

  Returns:
    [Q, M] float64.

  Raises:
    InputError: a budget is below 1 or above the pool.

  Example:
    >>> correct = np.array([[True, False, False, False]])
    >>> tts.pass_at_k(correct, [1, 2]).tolist()
    [[0.25, 0.5]]
  """
  chex.assert_rank(correct, 2)
  return chance_of_any(correct.shape[1], ks)[correct.astype(bool).sum(1)]


def chance_of_any(samples: int, ks: Sequence[int]) -> np.ndarray:
  """The chance that k of N samples hold one of c marked, for each c.

  Args:
    samples: N.
    ks: M budgets, each between 1 and N.

  Returns:
    [N + 1, M] float64, by c.

  Raises:
    InputError: a budget is below 1 or above the pool.
  """
  _check_budgets(ks, samples)
  columns = [1.0 - _miss(samples, k) for k in ks]
  return np.stack(columns, 1) if columns else np.zeros((samples + 1, 0))


def majority_at_k(
  answers: np.ndarray,
  correct: np.ndarray,
  ks: Sequence[int],
  *,
  seed: int = 0,
  draws: int = 1000,
) -> np.ndarray:
  """How correct the most frequent answer among k samples is.

  Samples without an answer cast no vote, and a subset without votes is wrong.
  Tied answers share the credit equally: a vote is never settled by chance or by
  order. An answer's own correctness is the share of its samples that are.

  Exact where the subsets' votes can fall in few ways: at budgets 1 and N, where
  there is one answer, mostly where there are two, in small pools. Elsewhere the
  votes of `draws` random subsets are averaged: a standard error of at most
  0.5 / sqrt(draws) for one question, less for a mean over questions. Subsets of
  different budgets are not nested. They are seeded by `seed`, the budget and
  the question's own vote counts: neither the order of the samples, nor the
  names of the answers, nor the other questions and budgets change the result.

  Memory beyond the result is `draws` x answers for one question at a time.

  Args:
    answers: [Q, N] int32, the group of the sample's answer; -1 for none.
    correct: [Q, N] bool.
    ks: M budgets, each between 1 and N.
    seed: of the random subsets.
    draws: random subsets for each question and budget.

  Returns:
    [Q, M] float64.

  Raises:
    InputError: a budget is below 1 or above the pool, or `draws` below 1.

  Example:
    >>> answers = np.array([[0, 0, 1]])
    >>> correct = np.array([[True, True, False]])
    >>> tts.majority_at_k(answers, correct, [1, 3]).round(2).tolist()
    [[0.67, 1.0]]
  """
  chex.assert_rank([answers, correct], 2)
  chex.assert_equal_shape([answers, correct])
  _check_budgets(ks, answers.shape[1])
  if draws < 1:
    raise errors.InputError(f"draws must be at least 1, not {draws}")
  result = np.zeros((len(answers), len(ks)))
  for row, (labels, right) in enumerate(zip(answers, correct, strict=True)):
    result[row] = _majority(labels, right.astype(bool), ks, seed, draws)
  return result


def _check_budgets(ks: Sequence[int], samples: int) -> None:
  for k in ks:
    if not 1 <= k <= samples:
      raise errors.InputError(
        f"k = {k} does not fit a pool of {samples} samples a question;"
        f" k must be between 1 and {samples}"
      )


def _miss(samples: int, k: int) -> np.ndarray:
  """[N + 1]: the chance that k samples of N avoid all c marked, for each c."""
  marked = np.arange(samples)
  factors = np.maximum(samples - k - marked, 0) / (samples - marked)
  return np.concatenate([[1.0], np.cumprod(factors)])


def _majority(
  labels: np.ndarray,  # [N]
  right: np.ndarray,  # [N]
  ks: Sequence[int],
  seed: int,
  draws: int,
) -> np.ndarray:
  samples = len(labels)
  counts, credits = _tally(labels, right)
  share = credits / np.maximum(counts, 1)
  if not credits.any():
    return np.zeros(len(ks))
  if len(counts) == 1:
    return share[0] * chance_of_any(samples, ks)[counts[0]]
  sizes = np.append(counts, samples - counts.sum())
  values = []
  for k in ks:
    if k == 1:
      values.append(credits.sum() / samples)
      continue
    key = [seed, samples, k, *counts, *credits]
    tables, chance = subsets.tables(sizes, k, draws, key)
    values.append(chance @ _credit(tables[:, :-1], share))
  return np.array(values)


def _tally(
  labels: np.ndarray,  # [N]
  right: np.ndarray,  # [N]
) -> tuple[np.ndarray, np.ndarray]:
  """Votes and correct votes of each answer, sorted so that names drop out."""
  voting = labels >= 0
  _, group = np.unique(labels[voting], return_inverse=True)
  counts = np.bincount(group)
  credits = np.bincount(group, weights=right[voting]).astype(np.int64)
  order = np.lexsort((credits, counts))
  return counts[order], credits[order]


def _credit(votes: np.ndarray, share: np.ndarray) -> np.ndarray:
  """[B]: mean correctness of the tied leaders of votes [B, G]; 0 if no vote."""
  most = votes.max(1, keepdims=True)
  leading = (votes == most) & (most > 0)
  return leading @ share / np.maximum(leading.sum(1), 1)
