"""What chains of revisions are worth, at every ratio of length to number.

A budget of N answers is spent on p chains of s answers, s * p = N (paper,
section 6.2). A value is the expectation over all choices of p among the chains
that have s answers, whose first s count: chains are independent of each other,
and their first answers of how long they run.
"""

from collections.abc import Mapping, Sequence

import chex
import numpy as np

from tts_jax import errors
from tts_jax.scaling import choices, estimators

# By N, the number of answers in a chain, s; there are N / s chains.
LENGTHS: Mapping[int, tuple[int, ...]] = {
  1: (1,),
  2: (1, 2),
  4: (1, 2, 4),
  8: (1, 2, 4, 8),
  16: (1, 2, 4, 8, 16),
  32: (1, 2, 4, 8, 16, 32),
  64: (1, 2, 4, 8, 16, 32, 64),
  128: (1, 2, 4, 8, 16, 32, 64, 128),
  256: (1, 4, 16, 64, 256),
}


def ratio(length: int, chains: int) -> str:
  """Sequential to parallel in lowest terms, as "1:4", "1:1" or "4:1"."""
  common = np.gcd(length, chains)
  return f"{length // common}:{chains // common}"


def lengths(budgets: Sequence[int]) -> tuple[int, ...]:
  """The chains that hold every ratio of some budgets, the longest first.

  As few answers as that takes: a chain serves all ratios that are no longer.

  Args:
    budgets: each one of `LENGTHS`.

  Returns:
    Answers of each chain.

  Raises:
    InputError: a budget is not in the paper's table.
  """
  for budget in budgets:
    if budget not in LENGTHS:
      known = ", ".join(str(one) for one in LENGTHS)
      raise errors.InputError(
        f"a budget of {budget} answers has no ratios; it must be of {known}"
      )
  cells = [(s, n // s) for n in budgets for s in LENGTHS[n]]
  most = max((p for _, p in cells), default=0)
  return tuple(max(s for s, p in cells if p > chain) for chain in range(most))


def chain_votes(
  answers: np.ndarray, correct: np.ndarray, score: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """What stands for each chain, as `verify.choosing.chain_winners`.

  Args:
    answers: [Q, E, s] int32, -1 for none.
    correct: [Q, E, s] bool.
    score: [Q, E, s] float, probabilities.

  Returns:
    Of the chains' winners: answers [Q, E], -1 where a chain states none,
    correct [Q, E] and score [Q, E].
  """
  chex.assert_equal_shape([answers, correct, score])
  total = np.zeros(score.shape)
  # Not [Q, E, s, s] at once: chains may be long.
  for turn in range(score.shape[-1]):
    same = (answers == answers[..., turn : turn + 1]) & (answers >= 0)
    total[..., turn] = np.where(same, score, 0.0).sum(-1)
  total = np.where(answers >= 0, total, -np.inf)
  most = total.max(-1, keepdims=True)
  leading = (answers >= 0) & (total >= most * (1 - 1e-9))
  best = np.where(leading, score, -np.inf).argmax(-1)[..., None]

  def of_best(values: np.ndarray) -> np.ndarray:
    return np.take_along_axis(values, best, -1)[..., 0]

  some = (answers >= 0).any(-1)
  return (
    np.where(some, of_best(answers), -1),
    of_best(correct) & some,
    np.where(some, of_best(score), 0.0),
  )


def hierarchical(
  answers: np.ndarray,
  correct: np.ndarray,
  score: np.ndarray,
  chains: int,
  *,
  seed: int = 0,
  draws: int = 200,
) -> np.ndarray:
  """How right p chains are by best-of-N weighted inside, then across.

  Args:
    answers: [Q, E, s] int32, -1 for none.
    correct: [Q, E, s] bool.
    score: [Q, E, s] float, probabilities.
    chains: p, at most E.
    seed: of the draws of chains.
    draws: of them, where they are not all taken.

  Returns:
    [Q] float64.

  Raises:
    InputError: as `choices.weighted_at_k`.
  """
  votes = chain_votes(answers, correct, score)
  return choices.weighted_at_k(*votes, [chains], seed=seed, draws=draws)[:, 0]


def best_score(
  answers: np.ndarray, correct: np.ndarray, score: np.ndarray, chains: int
) -> np.ndarray:
  """How right the highest-scoring answer of p chains is, [Q], exactly."""
  top = np.where(answers >= 0, score, -np.inf).argmax(-1)[..., None]
  answers, correct, score = (
    np.take_along_axis(values, top, -1)[..., 0]
    for values in (answers, correct, score)
  )
  found = choices.best_of_n_at_k(score, correct, [chains], answers=answers)
  return found[:, 0]


def majority(
  answers: np.ndarray,
  correct: np.ndarray,
  chains: int,
  *,
  seed: int = 0,
  draws: int = 200,
) -> np.ndarray:
  """How right the most frequent of all answers of p chains is.

  Args:
    answers: [Q, E, s] int32, -1 for none.
    correct: [Q, E, s] bool.
    chains: p, at most E.
    seed: of the draws of chains; each question's depend on its votes alone.
    draws: of them, where p is neither 1 nor E.

  Returns:
    [Q] float64.

  Raises:
    InputError: there are fewer than p chains.
  """
  chex.assert_equal_shape([answers, correct])
  E, s = answers.shape[1:]
  if s == 1:
    return estimators.majority_at_k(
      answers[..., 0], correct[..., 0], [chains], seed=seed, draws=draws
    )[:, 0]
  if not 1 <= chains <= E:
    raise errors.InputError(f"{chains} chains are wanted of {E} that are there")
  return np.array(
    [
      _majority(labels, right, chains, seed, draws)
      for labels, right in zip(answers, correct, strict=True)
    ]
  )


def _majority(
  labels: np.ndarray,  # [E, s]
  right: np.ndarray,  # [E, s]
  chains: int,
  seed: int,
  draws: int,
) -> float:
  groups = labels.max() + 1
  if not (right & (labels >= 0)).any():
    return 0.0
  names = np.arange(groups)
  votes = (labels[..., None] == names).sum(1)  # [E, G]
  credit = ((labels[..., None] == names) & right[..., None]).sum((0, 1))
  share = credit / np.maximum(votes.sum(0), 1)
  if chains == len(votes):
    chosen = votes.sum(0, keepdims=True)
  elif chains == 1:
    chosen = votes
  else:
    rng = np.random.default_rng([seed, chains, *votes.ravel().tolist()])
    order = rng.permuted(np.tile(np.arange(len(votes)), (draws, 1)), axis=1)
    chosen = votes[order[:, :chains]].sum(1)
  most = chosen.max(-1, keepdims=True)
  leading = (chosen == most) & (most > 0)
  return float((leading @ share / np.maximum(leading.sum(-1), 1)).mean())
