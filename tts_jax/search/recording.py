"""What a pass of the search writes into the candidates."""

import dataclasses

import chex
import jax.numpy as jnp

from tts_jax.search import setup as setups
from tts_jax.search import state as states


def places(
  mask: chex.Array, index: chex.Array, size: int
) -> tuple[chex.Array, chex.Array, chex.Array]:
  """Where to write [G, N] values into [G, N, size], in the rows of `mask`."""
  G, N = mask.shape
  # In other rows the index is out of range, and the write is dropped.
  where = jnp.where(mask, index, size)
  return jnp.arange(G)[:, None], jnp.arange(N), where


def record(
  beams: states.Beams,
  token: chex.Array,
  logprob: chex.Array,
  drawing: chex.Array,
  setup: setups.Setup,
) -> states.Beams:
  """Appends the token to the rows that draw."""
  at = places(drawing, beams.length, beams.tokens.shape[-1])
  ended = drawing & setup.limits.ends(token)
  return dataclasses.replace(
    beams,
    tokens=beams.tokens.at[at].set(token, mode="drop"),
    token_logprob=beams.token_logprob.at[at].set(logprob, mode="drop"),
    length=beams.length + drawing,
    finished=beams.finished | ended,
  )


def record_ahead(
  beams: states.Beams, token: chex.Array, rollout: states.Rollout
) -> states.Beams:
  """Writes what is rolled ahead behind the candidate, where it is overwritten.

  A verifier outside of the loop reads it there.
  """
  where = beams.length + rollout.tokens
  at = places(rollout.rolling, where, beams.tokens.shape[-1])
  tokens = beams.tokens.at[at].set(token, mode="drop")
  return dataclasses.replace(beams, tokens=tokens)


def score(
  beams: states.Beams, score: chex.Array, scored: chex.Array
) -> states.Beams:
  """Gives the last step of the rows `scored` its score."""
  at = places(scored, beams.step_count, beams.step_end.shape[-1])
  return dataclasses.replace(
    beams,
    step_end=beams.step_end.at[at].set(beams.length, mode="drop"),
    step_score=beams.step_score.at[at].set(score, mode="drop"),
    step_count=beams.step_count + scored,
  )
