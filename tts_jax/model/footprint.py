"""Bytes that a transformer takes on each device of a mesh, before it runs."""

import dataclasses
from typing import Any

import jax
import numpy as np
from jax import sharding as jax_sharding

from tts_jax import sharding, types
from tts_jax.model import cache, int8, transformer


def abstract_mesh(
  *, data: int = 1, fsdp: int = 1, model: int = 1
) -> jax_sharding.AbstractMesh:
  """A mesh for which no device is needed."""
  return jax_sharding.AbstractMesh(
    (data, fsdp, model), (sharding.DATA, sharding.FSDP, sharding.MODEL)
  )


def shapes(
  lm: transformer.Transformer,
  mesh: jax_sharding.Mesh | jax_sharding.AbstractMesh,
) -> Any:
  """The parameters' shapes, in the type that the model has them in.

  Each with its sharding by `sharding.RULES`.
  """

  def draw() -> types.Params:
    params = lm.init(jax.random.key(0))
    params = jax.tree.map(lambda leaf: leaf.astype(lm.config.dtype), params)
    held = lm.config.weight_dtype == "int8"
    return int8.parameters(params) if held else params

  drawn = jax.eval_shape(draw)
  return sharding.shapes(drawn, sharding.tree(mesh, lm.logical_axes(), drawn))


def parameters(
  lm: transformer.Transformer, mesh: jax_sharding.AbstractMesh
) -> int:
  """Bytes of the parameters on one device, by `sharding.RULES`."""
  return on_one(shapes(lm, mesh))


def caches(
  lm: transformer.Transformer,
  mesh: jax_sharding.AbstractMesh,
  *,
  questions: int,
  rows: int,
  prompt_tokens: int,
  row_tokens: int,
) -> int:
  """Bytes of keys and values on one device, split by `sharding.RULES`.

  Args:
    lm: the transformer.
    mesh: of the devices.
    questions: Q, each with one prompt.
    rows: N of each question.
    prompt_tokens: of a prompt, at most.
    row_tokens: of a row, at most.
  """

  def held() -> list[cache.RowCache]:
    room = ((1, prompt_tokens), (rows, row_tokens))
    found = [lm.init_rows(questions, *size) for size in room]
    return [dataclasses.replace(one, length=()) for one in found]

  arrays = jax.eval_shape(held)
  where = sharding.tree(mesh, cache.logical_axes(arrays), arrays)
  return on_one(sharding.shapes(arrays, where))


def on_one(arrays: Any) -> int:
  """Bytes of arrays, or of their shapes with shardings, on one device."""
  return sum(
    int(np.prod(leaf.sharding.shard_shape(leaf.shape))) * leaf.dtype.itemsize
    for leaf in jax.tree.leaves(arrays)
  )
