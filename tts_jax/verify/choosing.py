"""Choosing among the candidates of one question by score and by vote.

Sections 5.1, 6.2 and E of the paper: aggregation of step scores, majority,
best-of-N and best-of-N weighted, and the last over chains of revisions. All is
written for one question; callers vmap. `N` candidates, `R` steps.

A chooser gives each candidate its share of the decision, so that
`(chosen * correct).sum()` is how right the question's answer is. Only
candidates that are valid and state an answer take part; where there is none,
all shares are zero and the question counts as wrong. Ties share the decision
equally: it never depends on chance or on the candidates' order.

A score that is NaN is nobody's score. If one takes part, all shares are NaN, so
that a failed verifier cannot pass for one that disliked a candidate;
`check_scores` refuses them on the host.
"""

from collections.abc import Sequence

import chex
import jax.numpy as jnp
import numpy as np

from tts_jax import errors

# Sums of N float32 that are equal in truth differ by less than this share.
_ROUNDING = 1e-5


def last(step_score: chex.Array, count: chex.Array) -> chex.Array:
  """The score of the last step: the paper's default.

  Args:
    step_score: [N, R] float32, probabilities; anything from `count` on.
    count: [N] int32, steps of each candidate.

  Returns:
    [N] float32; NaN for a candidate without steps, which nothing has judged.
  """
  chex.assert_rank([step_score, count], [2, 1])
  place = jnp.maximum(count - 1, 0)[:, None]
  score = jnp.take_along_axis(step_score, place, axis=1)[:, 0]
  return _judged(score, count)


def least(step_score: chex.Array, count: chex.Array) -> chex.Array:
  """The least score of any step; arguments and result as of `last`."""
  chex.assert_rank([step_score, count], [2, 1])
  live = _live(step_score, count)
  score = jnp.where(live, step_score, jnp.inf).min(1)
  return _judged(score, count)


def product(step_score: chex.Array, count: chex.Array) -> chex.Array:
  """The product over steps; arguments and result as of `last`.

  Each further step can only lower it: long solutions pay for their length.
  """
  chex.assert_rank([step_score, count], [2, 1])
  live = _live(step_score, count)
  return _judged(jnp.where(live, step_score, 1).prod(1), count)


def majority(
  answers: chex.Array, *, valid: chex.Array | None = None
) -> chex.Array:
  """The most frequent answer.

  Args:
    answers: [N] int32, the canonical answer's number; -1 for none.
    valid: [N] bool, which candidates there are; None: all.

  Returns:
    [N] float32, shares of the decision: tied answers have equal ones, and so
    have the candidates of an answer.

  Example:
    >>> tts.majority(np.array([0, 0, 1])).tolist()
    [0.5, 0.5, 0.0]
  """
  voting = _voting(answers, valid)
  return _vote(answers, voting, voting.astype(jnp.float32))


def best_of_n(
  answers: chex.Array, score: chex.Array, *, valid: chex.Array | None = None
) -> chex.Array:
  """The candidate with the highest score; equal top scores share.

  Args:
    answers: [N] int32, as of `majority`.
    score: [N] float, any scale.
    valid: [N] bool, which candidates there are; None: all.

  Returns:
    [N] float32, shares of the decision.

  Example:
    >>> tts.best_of_n(np.array([0, 0, 1]), np.array([0.2, 0.3, 0.9])).tolist()
    [0.0, 0.0, 1.0]
  """
  chex.assert_equal_shape([answers, score])
  voting = _voting(answers, valid)
  score = jnp.where(voting, score, -jnp.inf)
  leading = voting & (score == score.max())
  return _checked(_shares(leading), score, voting)


def best_of_n_weighted(
  answers: chex.Array, score: chex.Array, *, valid: chex.Array | None = None
) -> chex.Array:
  """The answer whose candidates' probabilities have the largest sum.

  Args:
    answers: [N] int32, as of `majority`.
    score: [N] float, probabilities: sums of logits would mean nothing.
    valid: [N] bool, which candidates there are; None: all.

  Returns:
    [N] float32, shares of the decision, as of `majority`.

  Example:
    >>> score = np.array([0.25, 0.25, 0.75])
    >>> tts.best_of_n_weighted(np.array([0, 0, 1]), score).tolist()
    [0.0, 0.0, 1.0]
  """
  chex.assert_equal_shape([answers, score])
  voting = _voting(answers, valid)
  return _checked(_vote(answers, voting, score), score, voting)


def chain_winners(
  answers: chex.Array,
  score: chex.Array,
  *,
  valid: chex.Array | None = None,
) -> chex.Array:
  """The solution that stands for each chain of revisions.

  The chain's answer is the one whose solutions' scores have the largest sum,
  and its highest-scoring solution carries it. Of answers that tie the one with
  the higher best score is taken, and then the earlier one.

  Args:
    answers: [C, L] int32, as of `majority`, of C chains.
    score: [C, L] float, probabilities.
    valid: [C, L] bool, which solutions there are; None: all.

  Returns:
    [C] int32, the solution's place in its chain; -1 where none states an
    answer.
  """
  chex.assert_equal_shape([answers, score])
  voting = answers >= 0 if valid is None else (answers >= 0) & valid
  same = answers[:, :, None] == answers[:, None]
  same &= voting[:, :, None] & voting[:, None]
  total = jnp.where(same, score[:, None], 0).sum(-1)
  total = jnp.where(voting, total, -jnp.inf)
  leading = voting & (total >= total.max(-1, keepdims=True) * (1 - _ROUNDING))
  best = jnp.argmax(jnp.where(leading, score, -jnp.inf), -1)
  return jnp.where(voting.any(-1), best, -1).astype(jnp.int32)


def hierarchical(
  answers: chex.Array,
  score: chex.Array,
  *,
  valid: chex.Array | None = None,
) -> chex.Array:
  """Best-of-N weighted in each chain, then over the chains' winners.

  Args:
    answers: [C, L] int32, as of `majority`, of C chains.
    score: [C, L] float, probabilities.
    valid: [C, L] bool, which solutions there are; None: all.

  Returns:
    [C, L] float32, shares of the decision, at winners alone. NaN where the
    score of a solution that takes part is.

  Example:
    >>> answers = np.array([[0, 1], [1, 1]])
    >>> tts.hierarchical(answers, np.array([[0.5, 0.25], [0.5, 0.75]])).tolist()
    [[0.0, 0.0], [0.0, 1.0]]
  """
  voting = answers >= 0 if valid is None else (answers >= 0) & valid
  winner = chain_winners(answers, score, valid=valid)
  at = jnp.maximum(winner, 0)[:, None]
  share = best_of_n_weighted(
    jnp.take_along_axis(answers, at, -1)[:, 0],
    jnp.take_along_axis(score, at, -1)[:, 0],
    valid=winner >= 0,
  )
  chosen = jnp.where(jnp.arange(score.shape[1]) == at, share[:, None], 0.0)
  return _checked(chosen, score, voting)


def check_scores(
  question_ids: Sequence[str],
  score: np.ndarray,
  used: np.ndarray | None = None,
) -> None:
  """Refuses scores that are NaN, on the host.

  Args:
    question_ids: Q ids.
    score: [Q, ...] float.
    used: as `score`, bool: which of them are meant to be scores; None: all.

  Raises:
    InputError: a score that is used is NaN; the message names its question.
  """
  used = np.ones(score.shape, bool) if used is None else used
  chex.assert_equal_shape([score, used])
  wrong = (np.isnan(score) & used).reshape(len(score), -1).sum(1)
  if wrong.any():
    first = int(np.flatnonzero(wrong)[0])
    raise errors.InputError(
      f"scores of question {question_ids[first]!r}: NaN in {wrong[first]}"
      " places; a score must be a number, so the verifier's parameters or its"
      " input are broken"
    )


def _live(step_score: chex.Array, count: chex.Array) -> chex.Array:
  return jnp.arange(step_score.shape[1]) < count[:, None]


def _judged(score: chex.Array, count: chex.Array) -> chex.Array:
  return jnp.where(count > 0, score, jnp.nan)


def _voting(answers: chex.Array, valid: chex.Array | None) -> chex.Array:
  chex.assert_rank(answers, 1)
  return answers >= 0 if valid is None else (answers >= 0) & valid


def _vote(
  answers: chex.Array, voting: chex.Array, weight: chex.Array
) -> chex.Array:
  same = (answers[:, None] == answers) & voting[:, None] & voting
  total = jnp.where(same, weight, 0).sum(1)
  most = jnp.where(voting, total, -jnp.inf).max()
  leading = voting & (total >= most * (1 - _ROUNDING))
  # The candidates of an answer part its share among themselves.
  return _shares(leading, 1 / jnp.maximum(same.sum(1), 1))


def _shares(
  leading: chex.Array, weight: chex.Array | float = 1.0
) -> chex.Array:
  share = jnp.where(leading, weight, 0.0)
  return share / jnp.where(leading.any(), share.sum(), 1)


def _checked(
  chosen: chex.Array, score: chex.Array, voting: chex.Array
) -> chex.Array:
  return jnp.where((jnp.isnan(score) & voting).any(), jnp.nan, chosen)
