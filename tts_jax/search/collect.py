"""From a search's state to its result."""

import dataclasses

import chex
import jax.numpy as jnp

from tts_jax import types
from tts_jax.search import ledger, results
from tts_jax.search import setup as setups
from tts_jax.search import state as states


def collect(
  question: states.Question,
  progress: states.Progress,
  *,
  setup: setups.Setup,
) -> results.SearchResult:
  """The results of groups [Q] that are done.

  Args:
    question: of the groups.
    progress: of the groups.
    setup: the search.
  """
  beams = progress.beams
  length = jnp.where(progress.alive, beams.length, 0)
  count = jnp.where(progress.alive, beams.step_count, 0)

  def clear(leaf: chex.Array, live: chex.Array) -> chex.Array:
    return jnp.where(jnp.arange(leaf.shape[-1]) < live[..., None], leaf, 0)

  finished = beams.finished & progress.alive
  # One that was cut for it is not among the finals, and what it displaced is.
  step_score = jnp.where(
    progress.broken[:, None, None], jnp.nan, beams.step_score
  )
  lookahead_tokens = jnp.zeros_like(question.length)
  if progress.rollout is not None:
    lookahead_tokens = progress.rollout.spent
  trace = progress.trace
  if trace is not None:
    trace = dataclasses.replace(
      trace, rounds=progress.round, parent=progress.parent
    )
  return results.SearchResult(
    candidates=types.Candidates(
      tokens=clear(beams.tokens, length),
      length=length,
      finished=finished,
      token_logprob=clear(beams.token_logprob, length),
    ),
    step_end=clear(beams.step_end, count),
    step_score=clear(step_score, count),
    step_count=count,
    valid=finished,
    cost=ledger.cost(
      parent=progress.parent,
      drawn=progress.drawn,
      alive=progress.alive,
      lookahead=lookahead_tokens,
      prompt_length=question.length,
      reads_tokens=setup.verifier.reads_tokens,
    ),
    trace=trace,
  )
