"""Bytes that a transformer takes on each device of a mesh, before it runs."""

import jax
import numpy as np
from jax import sharding as jax_sharding

from tts_jax import sharding
from tts_jax.model import layout, transformer

# Axes of a row cache's keys, as `RULES` names them; values have the last two
# the other way round.
_CACHE = jax_sharding.PartitionSpec(None, None, "kv_heads", None, None)


def abstract_mesh(
  *, fsdp: int = 1, model: int = 1
) -> jax_sharding.AbstractMesh:
  """A mesh for which no device is needed."""
  return jax_sharding.AbstractMesh(
    (1, fsdp, model), (sharding.DATA, sharding.FSDP, sharding.MODEL)
  )


def parameters(
  lm: transformer.Transformer, mesh: jax_sharding.AbstractMesh
) -> int:
  """Bytes of the parameters on one device, by `sharding.RULES`."""
  axes, total = lm.logical_axes(), 0
  for leaf in layout.leaves(lm.config):
    names = axes
    for key in leaf.path:
      names = names[key]
    total += _elements(leaf.shape, names, mesh)
  return total * _itemsize(lm)


def caches(
  lm: transformer.Transformer,
  mesh: jax_sharding.AbstractMesh,
  *,
  questions: int,
  rows: int,
  prompt_tokens: int,
  row_tokens: int,
) -> int:
  """Bytes of keys and values on one device, heads split by `sharding.RULES`.

  Args:
    lm: the transformer.
    mesh: of the devices.
    questions: Q, each with one prompt.
    rows: N of each question.
    prompt_tokens: of a prompt, at most.
    row_tokens: of a row, at most.
  """
  K, H = lm.config.kv_heads, lm.config.head_width
  elements = sum(
    _elements(shape, _CACHE, mesh)
    for shape in (
      (questions, 1, K, H, prompt_tokens),
      (questions, rows, K, H, row_tokens),
    )
  )
  return 2 * lm.config.layers * elements * _itemsize(lm)


def _elements(
  shape: tuple[int, ...],
  names: jax_sharding.PartitionSpec,
  mesh: jax_sharding.AbstractMesh,
) -> int:
  """Elements on one device."""
  return int(np.prod(sharding.of(mesh, names, shape).shard_shape(shape)))


def _itemsize(lm: transformer.Transformer) -> int:
  return np.dtype(jax.numpy.dtype(lm.config.dtype)).itemsize
