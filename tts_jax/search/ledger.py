"""What a search cost, in tokens, counted exactly from its tree."""

import chex
import jax
import jax.numpy as jnp

from tts_jax import types


def kept_tokens(
  parent: chex.Array, drawn: chex.Array, alive: chex.Array
) -> chex.Array:
  """Tokens of one question that are in a final candidate, each counted once.

  Walks back from the finals: what several of them share is one node.

  Args:
    parent: [R, N] int32, the row of the round before that each row continues;
      negative for an empty one.
    drawn: [R, N] int32, tokens that each row drew in each round.
    alive: [N] bool, the row holds a final.

  Returns:
    [] int32.
  """
  chex.assert_equal_shape([parent, drawn])

  def back(
    reached: chex.Array, one: tuple[chex.Array, chex.Array]
  ) -> tuple[chex.Array, chex.Array]:
    parent, drawn = one
    count = jnp.where(reached, drawn, 0).sum(dtype=jnp.int32)
    at = jnp.where(reached, parent, reached.shape[0])
    return jnp.zeros_like(reached).at[at].set(True, mode="drop"), count

  _, counts = jax.lax.scan(back, alive, (parent, drawn), reverse=True)
  return counts.sum(dtype=jnp.int32)


def cost(
  *,
  parent: chex.Array,
  drawn: chex.Array,
  alive: chex.Array,
  lookahead: chex.Array,
  prompt_length: chex.Array,
  reads_tokens: bool,
) -> types.Cost:
  """The ledger of questions.

  Args:
    parent: [Q, R, N], as `kept_tokens` takes it.
    drawn: [Q, R, N].
    alive: [Q, N].
    lookahead: [Q] int32, tokens rolled ahead.
    prompt_length: [Q] int32; the last token is read by the rows.
    reads_tokens: the verifier has a backbone of its own, which reads whatever
      the model reads.
  """
  generated = drawn.sum((-2, -1), dtype=jnp.int32)
  prefilled = prompt_length - 1
  scored = jnp.zeros_like(generated)
  if reads_tokens:
    scored = prefilled + generated + lookahead
  return types.Cost(
    generated=generated,
    pruned=generated - jax.vmap(kept_tokens)(parent, drawn, alive),
    lookahead=lookahead,
    prefilled=prefilled,
    scored=scored,
  )
