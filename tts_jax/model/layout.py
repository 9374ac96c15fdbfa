"""How the tensors of a Hugging Face folder make up the parameters.

One table serves to read, to check and to write them.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from tts_jax.model import config

EMBEDDING, OUTPUT = "model.embed_tokens.weight", "lm_head.weight"


@dataclasses.dataclass(frozen=True)
class Part:
  """A tensor of a folder, and where in a parameter it stands.

  Attributes:
    name: of the tensor.
    shape: of the tensor; a matrix is [out, in], and stands transposed.
    at: the index of the parameter that it fills.
    upright: a matrix that does not stand transposed.
  """

  name: str
  shape: tuple[int, ...]
  at: tuple[Any, ...] = (...,)
  upright: bool = False

  def put(self, tensor: np.ndarray, leaf: np.ndarray) -> None:
    """Writes the tensor into its place."""
    place = leaf[self.at]
    turned = tensor if self.upright else tensor.T
    place[...] = turned.reshape(place.shape)

  def take(self, leaf: np.ndarray) -> np.ndarray:
    """The tensor out of its place."""
    place = leaf[self.at]
    if self.upright:
      return place.reshape(self.shape)
    return place.reshape(self.shape[::-1]).T


@dataclasses.dataclass(frozen=True)
class Leaf:
  """A parameter: its path in the tree, its shape, and what it is made of."""

  path: tuple[str, ...]
  shape: tuple[int, ...]
  parts: tuple[Part, ...]


def leaves(cfg: config.TransformerConfig) -> Iterator[Leaf]:
  """Every parameter of a transformer, in the order of its layers."""
  V, D = cfg.vocabulary, cfg.width
  part = Part(EMBEDDING, (V, D), upright=True)
  yield Leaf(("embedding",), (V, D), (part,))
  for layer in range(cfg.layers):
    yield from _block(cfg, layer)
  scale = Part("model.norm.weight", (D,))
  yield Leaf(("final_norm", "scale"), (D,), (scale,))
  if not cfg.tied:
    yield Leaf(("unembedding",), (D, V), (Part(OUTPUT, (V, D)),))


def _block(cfg: config.TransformerConfig, layer: int) -> Iterator[Leaf]:
  D, K, G, H = cfg.width, cfg.kv_heads, cfg.group, cfg.head_width
  M = cfg.mlp_width
  block, prefix = f"layer_{layer}", f"model.layers.{layer}."

  def vector(name: str, tensor: str, size: int) -> Leaf:
    part = Part(f"{prefix}{tensor}.weight", (size,))
    return Leaf((block, name, "scale"), (size,), (part,))

  def heads(suffix: str, lead: tuple[int, ...]) -> tuple[Part, ...]:
    """Of queries, keys and values, behind axes of `lead`."""
    every = (slice(None),) * (len(lead) + 1)
    places = {"q": slice(G), "k": slice(G, G + 1), "v": slice(G + 1, G + 2)}
    return tuple(
      Part(
        f"{prefix}self_attn.{name}_proj.{suffix}",
        (K * (at.stop - (at.start or 0)) * H, *lead),
        (*every, at),
      )
      for name, at in places.items()
    )

  before_mlp = (
    "pre_feedforward_layernorm"
    if cfg.post_norms
    else "post_attention_layernorm"
  )
  yield vector("attention_norm", "input_layernorm", D)
  yield Leaf((block, "qkv"), (D, K, G + 2, H), heads("weight", (D,)))
  if cfg.qkv_bias:
    yield Leaf((block, "qkv_bias"), (K, G + 2, H), heads("bias", ()))
  if cfg.qk_norm:
    yield vector("query_norm", "self_attn.q_norm", H)
    yield vector("key_norm", "self_attn.k_norm", H)
  part = Part(prefix + "self_attn.o_proj.weight", (D, K * G * H))
  yield Leaf((block, "out"), (K, G, H, D), (part,))
  if cfg.post_norms:
    yield vector("attention_post_norm", "post_attention_layernorm", D)
  yield vector("mlp_norm", before_mlp, D)
  yield Leaf(
    (block, "gate_up"),
    (D, 2, M),
    tuple(
      Part(f"{prefix}mlp.{name}_proj.weight", (M, D), (slice(None), i))
      for i, name in enumerate(("gate", "up"))
    ),
  )
  part = Part(prefix + "mlp.down_proj.weight", (D, M))
  yield Leaf((block, "down"), (M, D), (part,))
  if cfg.post_norms:
    yield vector("mlp_post_norm", "post_feedforward_layernorm", D)
