"""What a block attends to: whole sequences, a cache, or a prompt's.

The transformer leaves the choice to its caller, and so do the heads on it.
"""

from collections.abc import Callable
from typing import Any

import chex

from tts_jax.model import attention, cache

# (layer, how it scores, query [..., K, G, H], key [..., K, H], value
# [..., K, H]) -> (what was attended to [..., K, G, H], what the layer keeps for
# the caller).
Attend = Callable[
  [int, attention.Scoring, chex.Array, chex.Array, chex.Array],
  tuple[chex.Array, Any],
]


def prompt_state(
  kept: tuple[tuple[chex.Array, chex.Array], ...], length: chex.Array
) -> cache.PromptState:
  """The state of prompts of `length` [Q], from what `causally` kept."""
  return cache.PromptState(
    keys=tuple(key.transpose(0, 2, 3, 1) for key, _ in kept),
    values=tuple(value.transpose(0, 2, 1, 3) for _, value in kept),
    length=length - 1,
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
