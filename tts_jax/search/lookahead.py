"""Looking ahead: rolling a step's continuation out, and taking it back.

Lookahead search (section 5.3 of the paper) scores a step by what the verifier
says after up to `depth` further steps, drawn greedily.
"""

import functools
from typing import Any

import chex
import jax
import jax.numpy as jnp

from tts_jax.model import cache
from tts_jax.search import setup as setups
from tts_jax.search import state as states


def advance(
  rollout: states.Rollout,
  caches: Any,
  token: chex.Array,
  *,
  begins: chex.Array,
  partial: chex.Array | None,
  room: chex.Array,
  setup: setups.Setup,
) -> tuple[states.Rollout, Any, chex.Array, chex.Array]:
  """One token of each row that looks ahead.

  A rollout ends after its steps, at the end token, or where the candidate would
  reach its limit.

  Args:
    rollout: before the token.
    caches: rows [G, N], the token's pass included.
    token: [G, N] int32, drawn in it.
    begins: [G, N] bool, the row's step has ended and it looks ahead from here.
    partial: [G, N] int32, how much of a delimiter the row's text ends with;
      None where one token tells.
    room: [G, N] int32, tokens that the candidate may still have.
    setup: the search.

  Returns:
    The rollout; the caches and what each row reads next, where a rollout ended
    as they were when it began; which rows those are, [G, N] bool.
  """
  rolling = rollout.rolling
  tokens = rollout.tokens + rolling
  step_tokens = rollout.step_tokens + rolling
  ended = setup.limits.ends(token)
  delimited, ahead = setup.delimits(token, rollout.partial)
  step_over = delimited | setup.over_length(step_tokens)
  steps = rollout.steps + (rolling & step_over)
  done = ended | (steps >= setup.rounds.depth) | (tokens >= room)
  stops = rolling & done
  caches = cache.restore(caches, rollout.marked, stops)
  next_token = jnp.where(stops, rollout.token, token)
  rollout = states.Rollout(
    rolling=begins | (rolling & ~stops),
    # A mark is a tree of rows too: only rows that begin take the new one.
    marked=cache.restore(rollout.marked, cache.mark(caches), begins),
    token=jnp.where(begins, token, rollout.token),
    tokens=jnp.where(begins, 0, tokens),
    step_tokens=jnp.where(begins | step_over, 0, step_tokens),
    partial=jax.tree.map(functools.partial(jnp.where, begins), partial, ahead),
    steps=jnp.where(begins, 0, steps),
    spent=rollout.spent + rolling.sum(-1, dtype=jnp.int32),
  )
  return rollout, caches, next_token, stops
