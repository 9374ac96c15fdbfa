"""What a search gives back."""

from collections.abc import Sequence

import chex
import flax.struct
import jax.numpy as jnp
import numpy as np

from tts_jax import errors, types


@flax.struct.dataclass(kw_only=True)
class Trace:
  """Every round of a search: the tree that it grew.

  Attributes:
    rounds: [Q] int32, how many there were; what stands beyond means nothing.
    parent: [Q, R, N] int32, the row of the round before that a row continues.
      Itself in the first round; -1 where the row is empty from here on.
    end: [Q, R, N] int32, tokens that the candidate had when the round ended.
    score: [Q, R, N] float32, by which it was ranked.
    kept: [Q, R, N] bool, the search went on from it, or it is a final.
    exists: [Q, R, N] bool, the row drew a step in the round. Without one it is
      empty or holds a solution that had ended.
    finished: [Q, R, N] bool, the candidate had its end token.
    tokens: [Q, R, N, T] int32, the candidate when the round ended; what stands
      from `end` on means nothing.
  """

  rounds: chex.Array
  parent: chex.Array
  end: chex.Array
  score: chex.Array
  kept: chex.Array
  exists: chex.Array
  finished: chex.Array
  tokens: chex.Array


@flax.struct.dataclass(kw_only=True)
class SearchResult:
  """The finals of each question's search.

  Attributes:
    candidates: [Q, N] solutions. An empty row's, which the search left without
      one, has length 0.
    step_end: [Q, N, R] int32, tokens up to the end of each step; zero from
      `step_count` on.
    step_score: [Q, N, R] float32, the verifier's probability that the solution
      comes out right; zero from `step_count` on. All NaN where the score or a
      log-probability of any candidate was, those that were cut among them.
    step_count: [Q, N] int32.
    valid: [Q, N] bool, the solution may vote: it has its end token. Where none
      of a question's is valid the search has no answer.
    cost: the ledger.
    trace: None unless it was asked for.
  """

  candidates: types.Candidates
  step_end: chex.Array
  step_score: chex.Array
  step_count: chex.Array
  valid: chex.Array
  cost: types.Cost
  trace: Trace | None


def no_rounds(questions: int, rounds: int, rows: int, tokens: int) -> Trace:
  """A trace in which nothing has happened yet."""
  shape = (questions, rounds, rows)
  row = jnp.arange(rows, dtype=jnp.int32)
  return Trace(
    rounds=jnp.zeros(questions, jnp.int32),
    parent=jnp.broadcast_to(row, shape),
    end=jnp.zeros(shape, jnp.int32),
    score=jnp.zeros(shape, jnp.float32),
    kept=jnp.zeros(shape, bool),
    exists=jnp.zeros(shape, bool),
    finished=jnp.zeros(shape, bool),
    tokens=jnp.zeros((*shape, tokens), jnp.int32),
  )


def check(result: SearchResult, ids: Sequence[str]) -> None:
  """Checks that every score is a number.

  Args:
    result: of questions, leading axis Q.
    ids: Q names, for the message.

  Raises:
    errors.InputError: a question has a score that is NaN, or had.
  """
  scores = np.asarray(result.step_score)
  for id_, unknown in zip(ids, np.isnan(scores).any((1, 2)), strict=True):
    if unknown:
      raise errors.InputError(
        f"question {id_}: the verifier's score of a candidate is NaN, or the"
        " model's log-probability; the parameters of one are broken, or too"
        " large for their type"
      )
