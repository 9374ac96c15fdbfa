"""Strings found in what is drawn, token by token, on the device."""

import chex
import jax.numpy as jnp

from tts_jax.tasks import automaton


def advance(
  rule: automaton.Automaton, token: chex.Array, state: chex.Array
) -> tuple[chex.Array, chex.Array]:
  """Reads a token in each row: a look-up in each of the rule's tables.

  Args:
    rule: of V tokens and S states.
    token: [...] int32.
    state: [...] int32, before it.

  Returns:
    (whether a string ends in it [...] bool, the state after it [...] int32).
  """
  # A model's padding beyond V is no text.
  known = token < rule.vocabulary
  at = jnp.where(known, token, 0), state
  ends = known & jnp.asarray(rule.ends)[at]
  return ends, jnp.where(known, jnp.asarray(rule.following)[at], state)
