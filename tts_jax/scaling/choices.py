"""What choosing by score is worth at a budget of k samples.

As `scaling.estimators` for pass@k and majority@k: a pool holds N samples of
each of Q questions, and a value at budget k is the expectation over all subsets
of k samples drawn without replacement, never the first k alone.
"""

from collections.abc import Sequence

import chex
import numpy as np

from tts_jax import errors
from tts_jax.scaling import estimators, subsets

# Sums of the same float64 in another order differ by less than this share.
_ROUNDING = 1e-9


def best_of_n_at_k(
  score: np.ndarray,
  correct: np.ndarray,
  ks: Sequence[int],
  *,
  answers: np.ndarray | None = None,
) -> np.ndarray:
  """How correct the highest-scoring sample among k is, exactly.

  The top of a subset is a sample below which g others rank if the subset has it
  and misses all g. Samples of equal score are taken together and share the
  credit equally, so nothing depends on their order.

  Args:
    score: [Q, N] float, any scale.
    correct: [Q, N] bool.
    ks: M budgets, each between 1 and N.
    answers: [Q, N] int32, -1 for none: a sample without an answer is never
      chosen, and a subset of only such samples is wrong. None: all have one.

  Returns:
    [Q, M] float64.

  Raises:
    InputError: a budget is below 1 or above the pool, or the score of a sample
      that can be chosen is NaN.

  Example:
    >>> score, correct = np.array([[0.9, 0.1]]), np.array([[True, False]])
    >>> tts.best_of_n_at_k(score, correct, [1, 2]).tolist()
    [[0.5, 1.0]]
  """
  chex.assert_rank([score, correct], 2)
  chex.assert_equal_shape([score, correct])
  # By c: the chance that a subset holds one of the c highest.
  held = estimators.chance_of_any(score.shape[1], ks)
  able = np.ones(score.shape, bool) if answers is None else answers >= 0
  _check_numbers(score, able)
  value = np.zeros(score.shape)
  for row in range(len(score)):
    ranked = _ranked_credit(score[row, able[row]], correct[row, able[row]])
    value[row, : len(ranked)] = ranked
  return value @ np.diff(held, axis=0)


def weighted_at_k(
  answers: np.ndarray,
  correct: np.ndarray,
  score: np.ndarray,
  ks: Sequence[int],
  *,
  seed: int = 0,
  draws: int = 1000,
) -> np.ndarray:
  """How correct the answer with the largest sum of scores among k samples is.

  Best-of-N weighted. Samples without an answer cast no vote, a subset without
  votes is wrong, tied answers share the credit equally, and an answer's own
  correctness is the share of its samples that are. With equal scores this is
  majority@k.

  Budgets 1 and N, questions with fewer than two answers or none correct, and
  those whose answers each have one score, as far as majority@k is, are exact.
  Others average `draws` random subsets: a standard error of at most
  0.5 / sqrt(draws) for one question. They have the votes of the subsets that
  majority@k draws, so a difference of the two is hardly blurred, and are no
  more nested. They are seeded by `seed`, the budget and the question's own vote
  counts: neither the order of the samples, nor the names of the answers, nor
  the other questions and budgets change the result.

  Memory beyond the result is `draws` x answers x M, for one question at a time.

  Args:
    answers: [Q, N] int32, the group of the sample's answer; -1 for none.
    correct: [Q, N] bool.
    score: [Q, N] float, probabilities.
    ks: M budgets, each between 1 and N.
    seed: of the random subsets.
    draws: random subsets for each question and budget.

  Returns:
    [Q, M] float64.

  Raises:
    InputError: a budget is below 1 or above the pool, `draws` below 1, or the
      score of a sample with an answer is no probability.

  Example:
    >>> answers, score = np.array([[0, 1, 1]]), np.array([[0.9, 0.2, 0.2]])
    >>> correct = np.array([[True, False, False]])
    >>> tts.weighted_at_k(answers, correct, score, [3]).tolist()
    [[1.0]]
  """
  chex.assert_rank([answers, correct, score], 2)
  chex.assert_equal_shape([answers, correct, score])
  voted = estimators.pass_at_k(answers >= 0, ks)
  if draws < 1:
    raise errors.InputError(f"draws must be at least 1, not {draws}")
  _check_numbers(score, answers >= 0)
  check_probabilities(score[answers >= 0])
  result = np.zeros((len(answers), len(ks)))
  for row in range(len(answers)):
    owner, weight, share = _ballots(answers[row], correct[row], score[row])
    if len(share) == 1:
      result[row] = share[0] * voted[row]
    elif share.any():
      samples = answers.shape[1]
      result[row] = _weighted(owner, weight, share, samples, ks, seed, draws)
  return result


def check_probabilities(score: np.ndarray) -> None:
  """Refuses what is no probability, such as a logit.

  Raises:
    InputError: a score is outside [0, 1].
  """
  if score.size and not (score.min() >= 0 and score.max() <= 1):
    raise errors.InputError(
      f"scores run from {score.min():.4g} to {score.max():.4g}; probabilities,"
      " from 0 to 1, are needed, and a logit must go through a sigmoid first"
    )


def _check_numbers(score: np.ndarray, used: np.ndarray) -> None:
  wrong = np.flatnonzero((np.isnan(score) & used).any(1))
  if len(wrong):
    raise errors.InputError(
      f"scores of question {wrong[0]} (from 0): NaN; every sample that states"
      " an answer needs a score"
    )


def _ranked_credit(score: np.ndarray, correct: np.ndarray) -> np.ndarray:
  """[G]: by rank, the highest score first, the mean correctness of its ties."""
  _, group, size = np.unique(-score, return_inverse=True, return_counts=True)
  mean = np.bincount(group, weights=correct, minlength=len(size)) / size
  return np.repeat(mean, size)


def _weighted(
  owner: np.ndarray,  # [votes]
  weight: np.ndarray,  # [votes]
  share: np.ndarray,  # [G]
  samples: int,
  ks: Sequence[int],
  seed: int,
  draws: int,
) -> np.ndarray:
  counts = np.bincount(owner)
  total = np.bincount(owner, weights=weight)
  credits = np.rint(counts * share).astype(np.int64)
  sizes = np.append(counts, samples - len(owner))
  value = {
    1: counts @ share / samples,
    samples: _credit(total[None], counts[None] > 0, share)[0],
  }
  keys = {
    k: [seed, samples, k, *counts, *credits] for k in ks if k not in value
  }
  weights = np.split(weight, np.cumsum(counts)[:-1])
  if all(one[0] == one[-1] for one in weights):
    for k, key in keys.items():
      tables, chance = subsets.tables(sizes, k, draws, key)
      votes = tables[:, :-1]
      sums = votes * [one[0] for one in weights]
      value[k] = chance @ _credit(sums, votes > 0, share)
  elif keys:
    drawn = [subsets.draw_tables(sizes, k, draws, keys[k]) for k in keys]
    votes = np.stack(drawn)[..., :-1]
    # No budget is 0: these are the random numbers that all budgets share.
    rng = np.random.default_rng([seed, samples, 0, *counts, *credits])
    sums = np.empty(votes.shape)
    for group, one in enumerate(weights):
      sums[..., group] = subsets.draw_sums(one, votes[..., group], rng)
    for k, had, total in zip(keys, votes, sums, strict=True):
      value[k] = _credit(total, had > 0, share).mean()
  return np.array([value[k] for k in ks])


def _ballots(
  labels: np.ndarray,  # [N]
  right: np.ndarray,  # [N]
  score: np.ndarray,  # [N]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Each vote's answer [votes] and weight, each answer's correctness [G].

  Answers are sorted by what they hold and votes by weight, so that names and
  order drop out.
  """
  groups = sorted(
    (
      int((labels == label).sum()),
      int(right[labels == label].sum()),
      *np.sort(score[labels == label]),
    )
    for label in np.unique(labels[labels >= 0])
  )
  counts = np.array([count for count, *_ in groups], np.int64)
  credits = np.array([credit for _, credit, *_ in groups], np.int64)
  weight = np.array([one for _, _, *own in groups for one in own], np.float64)
  return np.repeat(np.arange(len(groups)), counts), weight, credits / counts


def _credit(
  votes: np.ndarray,  # [B, G]
  present: np.ndarray,  # [B, G]
  share: np.ndarray,  # [G]
) -> np.ndarray:
  """[B]: mean correctness of the tied leaders among those present."""
  most = np.where(present, votes, 0.0).max(1, keepdims=True)
  leading = present & (votes >= most * (1 - _ROUNDING))
  return leading @ share / np.maximum(leading.sum(1), 1)
