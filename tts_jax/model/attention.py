"""Rotary positions and attention, as functions of arrays.

Queries are held as [..., K, G, H]: K key/value heads, and G query heads that
share each. All softmaxes are float32.
"""

import dataclasses
import math

import chex
import jax
import jax.numpy as jnp

from tts_jax.model import config, int8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scoring:
  """How a layer scores what a query may see.

  Attributes:
    scale: what queries are multiplied by.
    cap: c; a score x becomes c tanh(x / c). None leaves it.
    window: how many tokens one sees, itself included; None: all before it.
  """

  scale: float
  cap: float | None = None
  window: int | None = None

  def query(self, query: chex.Array) -> chex.Array:
    """The query as it meets keys."""
    return query * self.scale

  def masked(
    self,
    scores: chex.Array,
    seen: chex.Array,
    distance: chex.Array,
  ) -> chex.Array:
    """Scores, minus infinity where they do not count.

    Args:
      scores: float32.
      seen: bool, broadcasts to `scores`.
      distance: tokens from key to query, broadcasts to `scores`.
    """
    if self.cap is not None:
      scores = self.cap * jnp.tanh(scores / self.cap)
    if self.window is not None:
      seen = seen & (distance < self.window)
    return jnp.where(seen, scores, -jnp.inf)


def scoring(cfg: config.TransformerConfig, layer: int) -> Scoring:
  """That of a layer of a decoder."""
  scale = cfg.attention_scale
  return Scoring(
    scale=cfg.head_width**-0.5 if scale is None else scale,
    cap=cfg.attention_cap,
    window=cfg.window(layer),
  )


Table = tuple[chex.Array, chex.Array]


def rotary_tables(
  cfg: config.TransformerConfig, positions: chex.Array
) -> list[Table]:
  """Of each layer, `rotary_table`; layers that rotate alike share one."""
  table = rotary_table(
    positions / cfg.rope_factor if cfg.rope_factor != 1 else positions,
    cfg.head_width,
    cfg.rope_theta,
    cfg.rope_scaling,
  )
  local = table
  if cfg.local_rope_theta is not None:
    local = rotary_table(positions, cfg.head_width, cfg.local_rope_theta)
  return [
    table if cfg.window(layer) is None else local for layer in range(cfg.layers)
  ]


def rotary_table(
  positions: chex.Array,
  head_width: int,
  theta: float,
  scaling: config.Llama3Rope | None = None,
) -> Table:
  """Cosine and sine of every rotation, [..., H / 2] float32.

  Args:
    positions: [...] numbers.
    head_width: H.
    theta: base of the frequencies.
    scaling: stretches the low ones; None leaves them.
  """
  half = head_width // 2
  frequency = theta ** (-jnp.arange(half, dtype=jnp.float32) / half)
  if scaling is not None:
    turns = frequency * (scaling.original_max_positions / (2 * math.pi))
    low, high = scaling.low_freq_factor, scaling.high_freq_factor
    kept = jnp.clip((turns - low) / (high - low), 0, 1)
    frequency *= kept + (1 - kept) / scaling.factor
  angle = positions[..., None].astype(jnp.float32) * frequency
  return jnp.cos(angle), jnp.sin(angle)


def rotate(x: chex.Array, table: Table) -> chex.Array:
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
  scoring: Scoring,
  segments: chex.Array | None = None,
  parents: chex.Array | None = None,
  positions: chex.Array | None = None,
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
    scoring: of the layer.
    segments: [B, T] integers; a position sees only its own segment's. None:
      the row is one segment.
    parents: [B, T] integers, the segment that a position's own continues, whose
      positions it sees too: several completions after one prompt. None: none.
    positions: [B, T] or [T] integers, which windows count; None: along the row.

  Returns:
    [B, T, K, G, H].
  """
  T = query.shape[1]
  query = scoring.query(query).transpose(0, 2, 3, 1, 4)  # [B, K, G, T, H]
  key = key.transpose(0, 2, 1, 3)  # [B, K, T, H]
  value = value.transpose(0, 2, 1, 3)
  # At most 8 blocks, so that long inputs still compile quickly.
  block = max(64, -(-T // 8))
  time = jnp.arange(T)
  place = time[None] if positions is None else jnp.atleast_2d(positions)
  blocks = []
  for start in range(0, T, block):
    end = min(start + block, T)
    # What no window of the block reaches is not computed.
    first = 0
    if positions is None and scoring.window is not None:
      first = max(0, start + 1 - scoring.window)
    past = slice(first, end)
    mask = (time[start:end, None] >= time[past])[None]
    if segments is not None:
      seen = segments[:, start:end, None] == segments[:, None, past]
      if parents is not None:
        seen |= parents[:, start:end, None] == segments[:, None, past]
      mask &= seen
    distance = place[:, start:end, None] - place[:, None, past]
    scores = jnp.einsum(
      "bkgth,bksh->bkgts",
      query[:, :, :, start:end],
      key[:, :, past],
      preferred_element_type=jnp.float32,
    )
    scores = scoring.masked(
      scores, mask[:, None, None], distance[:, None, None]
    )
    top = jax.lax.stop_gradient(scores.max(-1, keepdims=True))
    weights = jnp.exp(scores - top)
    attended = jnp.einsum(
      "bkgts,bksh->bkgth",
      weights.astype(value.dtype),
      value[:, :, past],
      preferred_element_type=jnp.float32,
    )
    blocks.append(attended / weights.sum(-1, keepdims=True))
  joined = jnp.concatenate(blocks, axis=3).astype(value.dtype)
  return joined.transpose(0, 3, 1, 2, 4)


def over_prompt_and_row(
  query: chex.Array,
  prompt: tuple[chex.Array, chex.Array, chex.Array],
  row: tuple[chex.Array, chex.Array, chex.Array],
  scoring: Scoring,
) -> chex.Array:
  """Attention of one token a row to its prompt and to its own past.

  The prompt part is one matrix product for all rows of a question, which read
  its keys and values once; both parts share one softmax.

  Args:
    query: [Q, N, K, G, H].
    prompt: keys [Q, K, H, P], values [Q, K, P, H] and live slots, [Q] or [Q, N]
      where rows see prefixes of different lengths.
    row: keys [Q, N, K, H, S], values [Q, N, K, S, H] and live slots [Q, N], at
      least 1: a row sees itself.
    scoring: of the layer.

  Returns:
    [Q, N, K, G, H].
  """
  dtype = query.dtype
  prompt_keys, prompt_values, prompt_length = prompt
  row_keys, row_values, row_length = row
  query = scoring.query(query)

  prompt_scores = int8.product("qnkgh,qkhp->qnkgp", query, prompt_keys)
  if prompt_length.ndim == 1:
    prompt_length = prompt_length[:, None]
  slot = jnp.arange(prompt_keys.shape[-1])
  live = slot < prompt_length[..., None]
  distance = (prompt_length + row_length - 1)[..., None] - slot
  prompt_scores = scoring.masked(
    prompt_scores, live[:, :, None, None], distance[:, :, None, None]
  )
  row_scores = int8.product("qnkgh,qnkhs->qnkgs", query, row_keys)
  slot = jnp.arange(row_keys.shape[-1])
  live = slot < row_length[..., None]
  distance = row_length[..., None] - 1 - slot
  row_scores = scoring.masked(
    row_scores, live[:, :, None, None], distance[:, :, None, None]
  )

  # Finite: the row's own part always has a live slot.
  top = jnp.maximum(
    prompt_scores.max(-1, initial=-jnp.inf), row_scores.max(-1)
  )[..., None]
  prompt_weights = jnp.exp(prompt_scores - top)
  row_weights = jnp.exp(row_scores - top)
  total = prompt_weights.sum(-1) + row_weights.sum(-1)
  attended = int8.weighted(
    "qnkgp,qkph->qnkgh", prompt_weights, prompt_values, dtype
  ) + int8.weighted("qnkgs,qnksh->qnkgh", row_weights, row_values, dtype)
  return (attended / total[..., None]).astype(dtype)


def over_prompt_and_block(
  query: chex.Array,
  key: chex.Array,
  value: chex.Array,
  prompt: tuple[chex.Array, chex.Array, chex.Array],
  scoring: Scoring,
) -> chex.Array:
  """Attention of several tokens after a prompt to it and, causally, themselves.

  Args:
    query: [Q, T, K, G, H].
    key: [Q, T, K, H].
    value: [Q, T, K, H].
    prompt: keys [Q, K, H, P], values [Q, K, P, H] and live slots [Q].
    scoring: of the layer.

  Returns:
    [Q, T, K, G, H].
  """
  dtype = query.dtype
  prompt_keys, prompt_values, prompt_length = prompt
  Q, T, K, G, H = query.shape
  # One matrix product a head: the G query heads of a key stand side by side.
  query = scoring.query(query).transpose(0, 2, 3, 1, 4)
  query = query.reshape(Q, K, G * T, H)
  time = jnp.tile(jnp.arange(T), G)[:, None]  # of each query
  before = int8.product("qkth,qkhp->qktp", query, prompt_keys)
  slot = jnp.arange(prompt_keys.shape[-1])
  live = slot < prompt_length[:, None]
  distance = prompt_length[:, None, None] + time - slot
  before = scoring.masked(before, live[:, None, None], distance[:, None])
  own = int8.product("qkth,qskh->qkts", query, key)
  distance = time - jnp.arange(T)
  own = scoring.masked(own, distance >= 0, distance)
  # Finite: a token sees itself.
  top = jnp.maximum(before.max(-1, initial=-jnp.inf), own.max(-1))[..., None]
  before, own = jnp.exp(before - top), jnp.exp(own - top)
  attended = int8.weighted(
    "qktp,qkph->qkth", before, prompt_values, dtype
  ) + int8.weighted("qkts,qskh->qkth", own, value, dtype)
  attended /= (before.sum(-1) + own.sum(-1))[..., None]
  attended = attended.astype(dtype).reshape(Q, K, G, T, H)
  return attended.transpose(0, 3, 1, 2, 4)


def over_prompt_and_rows(
  query: chex.Array,
  prompt: tuple[chex.Array, chex.Array, chex.Array],
  row: tuple[chex.Array, chex.Array, chex.Array],
  scoring: Scoring,
) -> chex.Array:
  """Attention of several tokens a row to its prompt, its past and themselves.

  Args:
    query: [Q, N, T, K, G, H].
    prompt: as for `over_prompt_and_row`.
    row: keys [Q, N, K, H, S] and values [Q, N, K, S, H], the tokens' own among
      them, and how many slots were live before these, [Q, N].
    scoring: of the layer.

  Returns:
    [Q, N, T, K, G, H].
  """
  dtype = query.dtype
  prompt_keys, prompt_values, prompt_length = prompt
  row_keys, row_values, row_length = row
  Q, N, T, K, G, H = query.shape
  query = scoring.query(query).transpose(0, 1, 3, 4, 2, 5)
  query = query.reshape(Q, N, K, G * T, H)
  if prompt_length.ndim == 1:
    prompt_length = prompt_length[:, None]
  place = row_length[..., None] + jnp.tile(jnp.arange(T), G)  # [Q, N, G T]

  before = int8.product("qnkth,qkhp->qnktp", query, prompt_keys)
  slot = jnp.arange(prompt_keys.shape[-1])
  live = slot < prompt_length[..., None]
  distance = (prompt_length[..., None] + place)[..., None] - slot
  before = scoring.masked(before, live[:, :, None, None], distance[:, :, None])
  own = int8.product("qnkth,qnkhs->qnkts", query, row_keys)
  distance = place[..., None] - jnp.arange(row_keys.shape[-1])
  own = scoring.masked(own, (distance >= 0)[:, :, None], distance[:, :, None])
  # Finite: a token sees itself.
  top = jnp.maximum(before.max(-1, initial=-jnp.inf), own.max(-1))[..., None]
  before, own = jnp.exp(before - top), jnp.exp(own - top)
  attended = int8.weighted(
    "qnktp,qkph->qnkth", before, prompt_values, dtype
  ) + int8.weighted("qnkts,qnksh->qnkth", own, row_values, dtype)
  attended /= (before.sum(-1) + own.sum(-1))[..., None]
  attended = attended.astype(dtype).reshape(Q, N, K, G, T, H)
  return attended.transpose(0, 1, 4, 2, 3, 5)
