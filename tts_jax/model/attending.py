"""What a block attends to: whole sequences, a cache, or a prompt's.

The transformer leaves the choice to its caller, and so do the heads on it.
"""

from collections.abc import Callable
from typing import Any

import chex
import jax
import jax.numpy as jnp

from tts_jax.model import attention, cache, int8

# (layer, how it scores, query [..., K, G, H], key [..., K, H], value
# [..., K, H]) -> (what was attended to [..., K, G, H], what the layer keeps for
# the caller).
Attend = Callable[
  [int, attention.Scoring, chex.Array, chex.Array, chex.Array],
  tuple[chex.Array, Any],
]


def prompt_state(
  kept: tuple[tuple[chex.Array, chex.Array], ...],
  length: chex.Array,
  dtype: str,
) -> cache.PromptState:
  """The state of prompts of `length` [Q], from what `causally` kept.

  `dtype` is that of the cache; empty leaves what was kept as it is.
  """
  keys, values = _held(kept, dtype)
  return cache.PromptState(keys=keys, values=values, length=length - 1)


def row_cache(
  kept: tuple[tuple[chex.Array, chex.Array], ...], dtype: str
) -> cache.RowCache:
  """Rows [Q, 1] of T slots, all live, from what `after_prompt` kept."""
  Q, T = kept[0][0].shape[:2]
  keys, values = jax.tree.map(lambda leaf: leaf[:, None], _held(kept, dtype))
  length = jnp.full((Q, 1), T, jnp.int32)
  return cache.RowCache(keys=keys, values=values, length=length)


def _held(
  kept: tuple[tuple[chex.Array, chex.Array], ...], dtype: str
) -> tuple[tuple[int8.Held, ...], tuple[int8.Held, ...]]:
  """Keys [Q, K, H, T] and values [Q, K, T, H] of each layer."""
  return (
    tuple(cache.hold(key.transpose(0, 2, 3, 1), dtype, 2) for key, _ in kept),
    tuple(cache.hold(each.transpose(0, 2, 1, 3), dtype, 3) for _, each in kept),
  )


def positions(
  prompt_state: cache.PromptState, rows: cache.RowCache
) -> chex.Array:
  """[Q, N], the position of the token that each row reads next."""
  start = prompt_state.length
  return (start[:, None] if start.ndim == 1 else start) + rows.length


def causally(
  segments: chex.Array | None = None,
  parents: chex.Array | None = None,
  positions: chex.Array | None = None,
) -> Attend:
  """Attention inside whole sequences; keeps each layer's keys and values.

  The arguments are those of `attention.causal`.
  """

  def attend(
    layer: int,
    scoring: attention.Scoring,
    query: chex.Array,
    key: chex.Array,
    value: chex.Array,
  ) -> tuple[chex.Array, Any]:
    del layer
    attended = attention.causal(
      query, key, value, scoring, segments, parents, positions
    )
    return attended, (key, value)

  return attend


def with_cache(prompt_state: cache.PromptState, rows: cache.RowCache) -> Attend:
  """Attention of one token a row; keeps what `cache.advance` takes."""

  def attend(
    layer: int,
    scoring: attention.Scoring,
    query: chex.Array,
    key: chex.Array,
    value: chex.Array,
  ) -> tuple[chex.Array, Any]:
    keys, values = cache.append(rows, layer, key, value)
    attended = attention.over_prompt_and_row(
      query,
      (
        prompt_state.keys[layer],
        prompt_state.values[layer],
        prompt_state.length,
      ),
      (keys, values, rows.length + 1),
      scoring,
    )
    return attended, (keys, values)

  return attend


def after_prompt(prompt_state: cache.PromptState) -> Attend:
  """Attention of tokens [Q, T] after their prompts; keeps keys and values."""

  def attend(
    layer: int,
    scoring: attention.Scoring,
    query: chex.Array,
    key: chex.Array,
    value: chex.Array,
  ) -> tuple[chex.Array, Any]:
    prompt = (
      prompt_state.keys[layer],
      prompt_state.values[layer],
      prompt_state.length,
    )
    attended = attention.over_prompt_and_block(
      query, key, value, prompt, scoring
    )
    return attended, (key, value)

  return attend


def with_cache_blocks(
  prompt_state: cache.PromptState, rows: cache.RowCache
) -> Attend:
  """Attention of several tokens a row [Q, N, T]; keeps keys and values."""

  def attend(
    layer: int,
    scoring: attention.Scoring,
    query: chex.Array,
    key: chex.Array,
    value: chex.Array,
  ) -> tuple[chex.Array, Any]:
    keys, values = cache.append_blocks(rows, layer, key, value)
    attended = attention.over_prompt_and_rows(
      query,
      (
        prompt_state.keys[layer],
        prompt_state.values[layer],
        prompt_state.length,
      ),
      (keys, values, rows.length),
      scoring,
    )
    return attended, (keys, values)

  return attend
