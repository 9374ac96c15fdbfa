"""The transformer as a `types.LanguageModel`."""

import dataclasses
from typing import Any

import chex
import jax
import jax.numpy as jnp
from flax import linen as nn

from tts_jax import types
from tts_jax.model import attending, attention, cache, config, int8


def _dropout(
  x: chex.Array, rate: float, key: chex.PRNGKey | None
) -> chex.Array:
  """Zeroes entries at `rate` and scales the rest; `key` None leaves `x`."""
  if key is None or rate == 0.0:
    return x
  keep = jax.random.bernoulli(key, 1 - rate, x.shape)
  return jnp.where(keep, x / (1 - rate), 0).astype(x.dtype)


def _param(
  module: nn.Module,
  name: str,
  init: jax.nn.initializers.Initializer,
  shape: tuple[int, ...],
  axes: tuple[str, ...],
) -> Any:
  """A parameter of `module` with a name for each axis; kernels are `Held`."""
  value: Any = module.param(
    name, nn.with_logical_partitioning(init, axes), shape
  )
  # Parameters read from a file are numpy arrays, which a traced index fails on.
  return jax.tree.map(jnp.asarray, value)


def _product(axes: str, x: chex.Array, kernel: int8.Held) -> chex.Array:
  """`jnp.einsum`, summed in float32, in the dtype of `x`."""
  return int8.product(axes, x, kernel).astype(x.dtype)


class Norm(nn.Module):
  """RMSNorm with a scale, computed in float32, over the last axis."""

  config: config.TransformerConfig
  axis: str = "embed"

  @nn.compact
  def __call__(self, x: chex.Array) -> chex.Array:
    """Scales `x` [..., D] to a mean square of 1, times the scale."""
    offset = self.config.norm_offset
    init = nn.initializers.zeros if offset else nn.initializers.ones
    scale = _param(self, "scale", init, x.shape[-1:], (self.axis,))
    scale = scale.astype(jnp.float32) + (1.0 if offset else 0.0)
    wide = x.astype(jnp.float32)
    mean_square = jnp.square(wide).mean(-1, keepdims=True)
    wide *= jax.lax.rsqrt(mean_square + self.config.norm_eps)
    return (wide * scale).astype(self.config.dtype)


class Block(nn.Module):
  """Attention and feed-forward layer, each added to the residual stream."""

  config: config.TransformerConfig
  layer: int

  def _kernel(
    self, name: str, shape: tuple[int, ...], axes: tuple[str, ...], scale: float
  ) -> int8.Held:
    kernel = _param(self, name, nn.initializers.normal(scale), shape, axes)
    return int8.cast(kernel, self.config.dtype)

  def _norm(self, name: str, x: chex.Array, axis: str = "embed") -> chex.Array:
    return Norm(self.config, axis, name=name)(x)

  @nn.compact
  def __call__(
    self,
    x: chex.Array,  # [..., D]
    table: attention.Table,
    attend: attending.Attend,
    dropout_key: chex.PRNGKey | None,
  ) -> tuple[chex.Array, Any]:
    """The stream [..., D] after the block, and what `attend` kept."""
    cfg = self.config
    D, K, G, H = cfg.width, cfg.kv_heads, cfg.group, cfg.head_width
    M = cfg.mlp_width
    # Residual branches start small, so that the stream's scale does not grow
    # with depth.
    out_scale = 0.02 * (2 * cfg.layers) ** -0.5
    keys = (None, None)
    if dropout_key is not None:
      keys = tuple(jax.random.split(dropout_key))

    # One product for the G queries, the key and the value of each KV head: the
    # kernel still splits over KV heads on a mesh.
    qkv = self._kernel(
      "qkv", (D, K, G + 2, H), ("embed", "kv_heads", "group", "head"), 0.02
    )
    normed = self._norm("attention_norm", x)
    mixed = int8.product("...d,dkgh->...kgh", normed, qkv)
    mixed = mixed.astype(cfg.attends_in)
    if cfg.qkv_bias:
      axes = "kv_heads", "group", "head"
      mixed += self._kernel("qkv_bias", (K, G + 2, H), axes, 0.0)
    turned = mixed[..., : G + 1, :]
    if cfg.qk_norm:
      query = self._norm("query_norm", turned[..., :G, :], "head")
      key = self._norm("key_norm", turned[..., G:, :], "head")
      turned = jnp.concatenate([query, key], -2).astype(cfg.attends_in)
    turned = attention.rotate(turned, table)
    attended, kept = attend(
      self.layer,
      attention.scoring(cfg, self.layer),
      turned[..., :G, :],
      turned[..., G, :],
      mixed[..., G + 1, :],
    )
    out = self._kernel(
      "out", (K, G, H, D), ("kv_heads", "group", "head", "embed"), out_scale
    )
    added = _product("...kgh,kghd->...d", attended.astype(cfg.dtype), out)
    if cfg.post_norms:
      added = self._norm("attention_post_norm", added)
    x += _dropout(added, cfg.dropout, keys[0])

    gate_up = self._kernel(
      "gate_up", (D, 2, M), ("embed", "gate_up", "mlp"), 0.02
    )
    normed = self._norm("mlp_norm", x)
    inner = _product("...d,dcm->...cm", normed, gate_up)
    # jax.nn.gelu is the one with tanh unless told otherwise.
    gate = jax.nn.silu if cfg.activation == "silu" else jax.nn.gelu
    inner = gate(inner[..., 0, :]) * inner[..., 1, :]
    down = self._kernel("down", (M, D), ("mlp", "embed"), out_scale)
    added = _product("...m,md->...d", inner, down)
    if cfg.post_norms:
      added = self._norm("mlp_post_norm", added)
    return x + _dropout(added, cfg.dropout, keys[1]), kept


class _Decoder(nn.Module):
  """Embedding, blocks and logits; how to attend is the caller's to say."""

  config: config.TransformerConfig

  @nn.compact
  def __call__(
    self,
    tokens: chex.Array,  # [...]
    positions: chex.Array,  # broadcasts to [...]
    attend: attending.Attend,
    dropout_key: chex.PRNGKey | None = None,
  ) -> tuple[types.Output, tuple[Any, ...]]:
    cfg = self.config
    normal = nn.initializers.normal(0.02)
    shape = (cfg.vocabulary, cfg.width)
    embedding = _param(self, "embedding", normal, shape, ("vocab", "embed"))
    embedding = int8.cast(embedding, cfg.dtype)
    keys: list[chex.PRNGKey | None] = [None] * (cfg.layers + 1)
    if dropout_key is not None:
      keys = list(jax.random.split(dropout_key, cfg.layers + 1))
    tables = attention.rotary_tables(cfg, positions)

    x = int8.looked_up(embedding, tokens, cfg.dtype)
    if cfg.scaled_embedding:
      x *= jnp.asarray(cfg.width**0.5, x.dtype)
    x = _dropout(x, cfg.dropout, keys[-1])
    kept, streams = [], []
    # Unrolled: a scan would copy every layer's cache at every token.
    for layer in range(cfg.layers):
      streams.append(x)
      block = Block(cfg, layer, name=f"layer_{layer}")
      x, keep = block(x, tables[layer], attend, keys[layer])
      kept.append(keep)
    streams.append(x)
    hidden = Norm(cfg, name="final_norm")(x)
    if cfg.tied:
      logits = int8.product("...d,vd->...v", hidden, embedding)
    else:
      unembedding = _param(
        self, "unembedding", normal, shape[::-1], ("embed", "vocab")
      )
      logits = int8.product(
        "...d,dv->...v", hidden, int8.cast(unembedding, cfg.dtype)
      )
    if cfg.logit_cap is not None:
      logits = cfg.logit_cap * jnp.tanh(logits / cfg.logit_cap)
    output = types.Output(logits=logits, hidden=hidden, streams=tuple(streams))
    return output, tuple(kept)


@dataclasses.dataclass(frozen=True)
class Transformer:
  """A decoder; parameters are a plain nested dict."""

  config: config.TransformerConfig

  @property
  def vocabulary(self) -> int:
    """V, the number of tokens."""
    return self.config.vocabulary

  def _init_boxed(self, key: chex.PRNGKey) -> Any:
    tokens = jnp.zeros((1, 1), jnp.int32)
    return _Decoder(self.config).init(
      key, tokens, jnp.arange(1), attending.causally()
    )["params"]

  def _apply(
    self,
    params: types.Params,
    tokens: chex.Array,
    positions: chex.Array,
    attend: attending.Attend,
    dropout_key: chex.PRNGKey | None = None,
  ) -> tuple[types.Output, tuple[Any, ...]]:
    result: Any = _Decoder(self.config).apply(
      {"params": params}, tokens, positions, attend, dropout_key
    )
    return result

  def init(self, key: chex.PRNGKey) -> types.Params:
    """Draws parameters, float32; `key` is consumed."""
    return nn.meta.unbox(self._init_boxed(key))

  def logical_axes(self) -> Any:
    """The parameters' tree with a `PartitionSpec` of axis names at each leaf.

    The names are vocab, embed, kv_heads, group, head, gate_up and mlp.
    """
    shapes = jax.eval_shape(self._init_boxed, jax.random.key(0))
    axes = nn.get_partition_spec(shapes)
    held = self.config.weight_dtype == "int8"
    return int8.logical_axes(axes) if held else axes

  def forward(
    self,
    params: types.Params,
    tokens: chex.Array,
    *,
    positions: chex.Array | None = None,
    segments: chex.Array | None = None,
    parents: chex.Array | None = None,
    dropout_key: chex.PRNGKey | None = None,
  ) -> types.Output:
    """Reads whole sequences, causally.

    Under `jit` a caller that reads only `hidden` does not pay for the logits:
    the compiler drops what is not used.

    Args:
      params: as `init` gives them.
      tokens: [B, T] int32.
      positions: [B, T] int32; counted along the row if None. Rotations and
        windows are relative, so packed sequences need not start again at 0.
      segments: [B, T] int32, the sequence that each token belongs to; tokens of
        different ones do not see each other. None: each row is one.
      parents: [B, T] int32, the segment that a token's own continues and so
        sees: completions that share a prompt. None: none does.
      dropout_key: consumed; None turns dropout off.

    Returns:
      logits [B, T, V] and hidden [B, T, D].
    """
    chex.assert_rank(tokens, 2)
    attend = attending.causally(segments, parents, positions)
    if positions is None:
      positions = jnp.arange(tokens.shape[1])
    output, _ = self._apply(params, tokens, positions, attend, dropout_key)
    return output

  def prefill(
    self, params: types.Params, prompts: types.Prompts
  ) -> tuple[types.Output, cache.PromptState]:
    """Reads each prompt; its last token is left for a row to decode first.

    Causal attention keeps the padding on the right out of what counts.

    Returns:
      logits [Q, P, V] and hidden [Q, P, D] at every slot, and the state.
    """
    tokens = prompts.tokens
    output, kept = self._apply(
      params, tokens, jnp.arange(tokens.shape[1]), attending.causally()
    )
    held = self.config.cache_dtype
    return output, attending.prompt_state(kept, prompts.length, held)

  def extend(
    self,
    params: types.Params,
    prompt_state: cache.PromptState,
    tokens: chex.Array,
  ) -> tuple[types.Output, cache.RowCache]:
    """Reads T tokens after each prompt in one pass.

    Args:
      params: as `init` gives them.
      prompt_state: of Q questions, its length [Q].
      tokens: [Q, T] int32; the first is the last of the prompt.

    Returns:
      logits [Q, T, V] and hidden [Q, T, D]; rows [Q, 1] of T slots, all live.
    """
    T = tokens.shape[1]
    positions = prompt_state.length[:, None] + jnp.arange(T)
    output, kept = self._apply(
      params, tokens, positions, attending.after_prompt(prompt_state)
    )
    return output, attending.row_cache(kept, self.config.cache_dtype)

  def init_rows(self, questions: int, rows: int, slots: int) -> cache.RowCache:
    """An empty cache of [Q, N] rows with room for `slots` tokens each."""
    return cache.init(
      questions,
      rows,
      slots,
      layers=self.config.layers,
      kv_heads=self.config.kv_heads,
      head_width=self.config.head_width,
      dtype=self.config.cache_dtype or self.config.attends_in,
    )

  def decode(
    self,
    params: types.Params,
    prompt_state: cache.PromptState,
    rows: cache.RowCache,
    tokens: chex.Array,
  ) -> tuple[types.Output, cache.RowCache]:
    """Appends one token to every row and reads it.

    Each row's numbers depend on that row and its prompt alone. A full row
    stays as it is; what it is given for an output means nothing.

    Args:
      params: as `init` gives them.
      prompt_state: of Q questions.
      rows: [Q, N] rows.
      tokens: [Q, N] int32; a row's first is the last of its prompt.

    Returns:
      logits [Q, N, V] and hidden [Q, N, D]; the rows, one token longer.
    """
    chex.assert_equal_shape([rows.length, tokens])
    output, layers = self._apply(
      params,
      tokens,
      attending.positions(prompt_state, rows),
      attending.with_cache(prompt_state, rows),
    )
    return output, cache.advance(rows, layers)

  def extend_rows(
    self,
    params: types.Params,
    prompt_state: cache.PromptState,
    rows: cache.RowCache,
    tokens: chex.Array,
    count: chex.Array,
  ) -> tuple[types.Output, cache.RowCache]:
    """Appends several tokens to every row and reads them in one pass.

    Args:
      params: as `init` gives them.
      prompt_state: of Q questions.
      rows: [Q, N] rows, with room for `count` more tokens each.
      tokens: [Q, N, T] int32; a row's first is the last of its prompt.
      count: [Q, N] int32, tokens that count, at most T; what is given for the
        rest means nothing.

    Returns:
      logits [Q, N, T, V] and hidden [Q, N, T, D]; the rows, `count` longer.
    """
    chex.assert_equal_shape([rows.length, count])
    positions = attending.positions(prompt_state, rows)[..., None]
    output, layers = self._apply(
      params,
      tokens,
      positions + jnp.arange(tokens.shape[-1]),
      attending.with_cache_blocks(prompt_state, rows),
    )
    return output, cache.advance(rows, layers, count)
