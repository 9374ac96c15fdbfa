"""Rotary positions and attention, as functions of arrays.

Queries are held as [..., K, G, H]: K key/value heads, and G query heads that
share each. All softmaxes are float32.
"""

import chex
import jax
import jax.numpy as jnp


def rotary_table(
  positions: chex.Array, head_width: int, theta: float
) -> tuple[chex.Array, chex.Array]:
  """Cosine and sine of every rotation, [..., H / 2] float32.

  Args:
    positions: [...] integers.
    head_width: H.
    theta: base of the frequencies.
  """
  half = head_width // 2
  frequency = theta ** (-jnp.arange(half, dtype=jnp.float32) / half)
  angle = positions[..., None].astype(jnp.float32) * frequency
  return jnp.cos(angle), jnp.sin(angle)


def rotate(
  x: chex.Array, table: tuple[chex.Array, chex.Array]
) -> chex.Array:
  """Turns each head of `x` by its token's position.

  Channel `i` turns with channel `i + H / 2`, the convention of published Llama
  checkpoints.

  Args:
    x: [..., K, G, H].
    table: cosine and sine, [..., H / 2] with the leading axes of `x` or axes
      that broadcast to them.
  """
  cos, sin = (part[..., None, None, :] for part in table)
  low, high = jnp.split(x.astype(jnp.float32), 2, axis=-1)
  turned = jnp.concatenate(
    [low * cos - high * sin, high * cos + low * sin], axis=-1
  )
  return turned.astype(x.dtype)


def causal(
  query: chex.Array,
  key: chex.Array,
  value: chex.Array,
  segments: chex.Array | None = None,
) -> chex.Array:
  """Attention of each position to itself and to those before it.

  Queries go block by block, each over the keys up to its own end: the half of
  the scores that the mask would discard is mostly never computed, and a block
  fits in a CPU's cache (a training step of 2.4M parameters, 32 x 256 tokens,
  two cores: 1.7 s against 4.0 s over all keys at once).

  Args:
    query: [B, T, K, G, H].
    key: [B, T, K, H].
    value: [B, T, K, H].
    segments: [B, T] integers; a position sees only its own segment's. None:
      the row is one segment.

  Returns:
    [B, T, K, G, H].
  """
  T, H = query.shape[1], query.shape[-1]
  query = (query * H**-0.5).transpose(0, 2, 3, 1, 4)  # [B, K, G, T, H]
  key = key.transpose(0, 2, 1, 3)  # [B, K, T, H]
  value = value.transpose(0, 2, 1, 3)
  # At most 8 blocks, so that long inputs still compile quickly.
  block = max(64, -(-T // 8))
  time = jnp.arange(T)
  blocks = []
  for start in range(0, T, block):
    end = min(start + block, T)
    mask = (time[start:end, None] >= time[:end])[None]
    if segments is not None:
      mask &= segments[:, start:end, None] == segments[:, None, :end]
    scores = jnp.einsum(
      "bkgth,bksh->bkgts",
      query[:, :, :, start:end],
      key[:, :, :end],
      preferred_element_type=jnp.float32,
    )
    scores = jnp.where(mask[:, None, None], scores, -jnp.inf)
    top = jax.lax.stop_gradient(scores.max(-1, keepdims=True))
    weights = jnp.exp(scores - top)
    attended = jnp.einsum(
      "bkgts,bksh->bkgth",
      weights.astype(value.dtype),
      value[:, :, :end],
      preferred_element_type=jnp.float32,
    )
    blocks.append(attended / weights.sum(-1, keepdims=True))
  joined = jnp.concatenate(blocks, axis=3).astype(value.dtype)
  return joined.transpose(0, 3, 1, 2, 4)
