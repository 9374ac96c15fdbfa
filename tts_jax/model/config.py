"""The shape of a transformer."""

import dataclasses

from tts_jax import errors

DTYPES = ("float32", "bfloat16")


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
  """A Llama-family decoder: RMSNorm, RoPE, grouped-query attention, SwiGLU.

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
    ):
      if getattr(self, name) <= 0:
        raise errors.InputError(
          f"model {name} is {getattr(self, name)}; it must be above 0"
        )
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
    if self.dtype not in DTYPES:
      raise errors.InputError(
        f"model dtype is {self.dtype!r}; it must be one of {', '.join(DTYPES)}"
      )

  @property
  def group(self) -> int:
    """G, the number of query heads that share a key/value head."""
    return self.heads // self.kv_heads
