"""The shape of a transformer."""

import dataclasses

from tts_jax import errors

DTYPES = ("float32", "bfloat16")


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
