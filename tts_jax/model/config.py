"""The shape of a transformer."""

import dataclasses

from tts_jax import errors

DTYPES = ("float32", "bfloat16")
ACTIVATIONS = ("silu", "gelu_tanh")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Llama3Rope:
  """How Llama 3.1 and later stretch rotations to contexts longer than before.

  A frequency is judged by the turns that it makes over the original context:
  those of `high_freq_factor` or more stay, those of `low_freq_factor` or fewer
  are divided by `factor`, those between are interpolated linearly in turns.

  Attributes:
    factor: what low frequencies are divided by, at least 1.
    low_freq_factor: turns.
    high_freq_factor: turns, above `low_freq_factor`.
    original_max_positions: tokens of the context before it was stretched.

  Raises:
    errors.InputError: a field is out of its range; the message names it.
  """

  factor: float
  low_freq_factor: float
  high_freq_factor: float
  original_max_positions: int

  def __post_init__(self) -> None:
    if self.factor < 1:
      raise errors.InputError(
        f"rope factor is {self.factor}; it must be at least 1"
      )
    if not 0 < self.low_freq_factor < self.high_freq_factor:
      raise errors.InputError(
        f"rope low_freq_factor is {self.low_freq_factor}; it must be above 0 "
        f"and below high_freq_factor, {self.high_freq_factor}"
      )
    if self.original_max_positions < 1:
      raise errors.InputError(
        f"rope original_max_positions is {self.original_max_positions}; "
        f"it must be above 0"
      )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformerConfig:
  """A decoder: RMSNorm, RoPE, grouped-query attention, gated feed-forward.

  Its defaults are Llama's; the fields from `rope_factor` on are the switches
  by which Mistral, Qwen and Gemma differ from it.

  Attributes:
    vocabulary: V, the number of tokens.
    width: D, the residual stream's width.
    layers: L.
    heads: query heads, a multiple of `kv_heads`.
    kv_heads: K, key/value heads.
    head_width: H, even. `heads * head_width` need not equal `width`.
    mlp_width: the inner width of the feed-forward layer.
    rope_theta: base of the rotary frequencies.
    rope_scaling: how they are stretched; None: they are not.
    norm_eps: added to the mean square in RMSNorm.
    tied: the output matrix is the embedding.
    max_positions: prompt and completion together fit in this many tokens.
    dropout: rate on the embedding and on what each block adds, in training.
    dtype: in which products are computed, one of `DTYPES`. Norms, rotations,
      softmax and logits are float32 in any case. Parameters may be held in
      another type: they are cast where they are used.
    weight_dtype: in which kernels are held: "int8", with a scale for each
      output channel (`int8.parameters` makes them so); empty: as numbers.
    attention_dtype: in which queries meet keys, one of `DTYPES`; empty: as
      `dtype`.
    cache_dtype: in which keys and values are kept: "int8", with a scale for
      each head of each token; empty: as `attention_dtype`.
    rope_factor: what positions are divided by before they rotate.
    local_rope_theta: base of the frequencies in layers that have a window,
      where nothing is stretched or divided; None: as in the others.
    windows: of each layer, how many tokens one sees, itself included; None sees
      all. Empty: all layers see all.
    activation: of the feed-forward layer's gate, one of `ACTIVATIONS`.
    qkv_bias: queries, keys and values have biases.
    qk_norm: each query and key head is normed before it rotates.
    post_norms: what a block adds to the stream is normed, too.
    norm_offset: a norm multiplies by 1 + its parameter.
    scaled_embedding: embeddings are multiplied by the root of `width`.
    attention_scale: what queries are multiplied by; None: 1 / root(head_width).
    attention_cap: bound c of a score x, which becomes c tanh(x / c).
    logit_cap: the same of logits.

  Raises:
    errors.InputError: a field is out of its range; the message names it.
  """

  vocabulary: int
  width: int
  layers: int
  heads: int
  kv_heads: int
  head_width: int
  mlp_width: int
  max_positions: int
  rope_theta: float = 10000.0
  rope_scaling: Llama3Rope | None = None
  norm_eps: float = 1e-5
  tied: bool = True
  dropout: float = 0.0
  dtype: str = "float32"
  weight_dtype: str = ""
  attention_dtype: str = ""
  cache_dtype: str = ""
  rope_factor: float = 1.0
  local_rope_theta: float | None = None
  windows: tuple[int | None, ...] = ()
  activation: str = "silu"
  qkv_bias: bool = False
  qk_norm: bool = False
  post_norms: bool = False
  norm_offset: bool = False
  scaled_embedding: bool = False
  attention_scale: float | None = None
  attention_cap: float | None = None
  logit_cap: float | None = None

  def __post_init__(self) -> None:
    for name in (
      "vocabulary",
      "width",
      "layers",
      "heads",
      "kv_heads",
      "head_width",
      "mlp_width",
      "max_positions",
      "rope_theta",
      "norm_eps",
      "rope_factor",
      "local_rope_theta",
      "attention_scale",
      "attention_cap",
      "logit_cap",
    ):
      value = getattr(self, name)
      if value is not None and value <= 0:
        raise errors.InputError(f"model {name} is {value}; it must be above 0")
    if self.heads % self.kv_heads:
      raise errors.InputError(
        f"model heads is {self.heads}; it must be a multiple of kv_heads, "
        f"{self.kv_heads}"
      )
    if self.head_width % 2:
      raise errors.InputError(
        f"model head_width is {self.head_width}; it must be even"
      )
    if not 0 <= self.dropout < 1:
      raise errors.InputError(
        f"model dropout is {self.dropout}; it must be in [0, 1)"
      )
    for name, allowed in (("dtype", DTYPES), ("activation", ACTIVATIONS)):
      if getattr(self, name) not in allowed:
        raise errors.InputError(
          f"model {name} is {getattr(self, name)!r}; it must be one of"
          f" {', '.join(allowed)}"
        )
    for name in ("weight_dtype", "cache_dtype"):
      if getattr(self, name) not in ("", "int8"):
        raise errors.InputError(
          f"model {name} is {getattr(self, name)!r}; it must be 'int8' or empty"
        )
    if self.attention_dtype not in ("", *DTYPES):
      raise errors.InputError(
        f"model attention_dtype is {self.attention_dtype!r}; it must be one of"
        f" {', '.join(DTYPES)} or empty"
      )
    if self.windows and len(self.windows) != self.layers:
      raise errors.InputError(
        f"model windows are of {len(self.windows)} layers; it has {self.layers}"
      )
    if any(window is not None and window < 1 for window in self.windows):
      raise errors.InputError(
        f"model windows are {self.windows}; each must be above 0, or None"
      )

  @property
  def group(self) -> int:
    """G, the number of query heads that share a key/value head."""
    return self.heads // self.kv_heads

  @property
  def attends_in(self) -> str:
    """The dtype of queries, keys and values as they meet."""
    return self.attention_dtype or self.dtype

  def window(self, layer: int) -> int | None:
    """How many tokens a token sees in a layer, itself included; None: all."""
    return self.windows[layer] if self.windows else None

  def part(self, start: int, stop: int) -> "TransformerConfig":
    """The decoder that has the layers from `start` to before `stop` alone."""
    return dataclasses.replace(
      self, layers=stop - start, windows=self.windows[start:stop]
    )


def suited(cfg: TransformerConfig, platform: str) -> TransformerConfig:
  """The model as it runs well on a kind of device.

  On a CPU attention is float32. XLA writes to a bfloat16 cache there by way of
  float32, all of it at every token (a step of 128 rows of a model of 32.6M
  parameters: 77 ms on two cores, and 58 ms with a float32 cache, both with
  bfloat16 products), and has no bfloat16 product with the prompts of several
  questions at some small shapes.

  Args:
    cfg: a model.
    platform: "cpu", "gpu" or "tpu".
  """
  if platform != "cpu" or cfg.dtype == "float32":
    return cfg
  return dataclasses.replace(cfg, attention_dtype="float32")
