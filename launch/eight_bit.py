"""A model whose weights or caches are held in 8 bits, as a config asks."""

import dataclasses

import jax

from tts_jax import errors, sharding, types
from tts_jax.model import int8, transformer

_WAYS = "", "weights", "cache", "both"


def shaped(lm: transformer.Transformer, what: str) -> transformer.Transformer:
  """The model that holds `what` in 8 bits.

  Raises:
    InputError: `what` is none of the ways.
  """
  if what not in _WAYS:
    ways = ", ".join(repr(way) for way in _WAYS)
    raise errors.InputError(f"int8 is {what!r}; it must be one of {ways}")
  return transformer.Transformer(
    dataclasses.replace(
      lm.config,
      weight_dtype="int8" if what in ("weights", "both") else "",
      cache_dtype="int8" if what in ("cache", "both") else "",
    )
  )


def held(
  lm: transformer.Transformer, params: types.Params, what: str
) -> tuple[transformer.Transformer, types.Params]:
  """The model, and its parameters, where they were.

  Raises:
    InputError: `what` is none of the ways.
  """
  lm = shaped(lm, what)
  if not lm.config.weight_dtype:
    return lm, params
  mesh, where = sharding.mesh_of(params), None
  if mesh is not None:
    shapes = jax.eval_shape(int8.parameters, params)
    where = sharding.tree(mesh, lm.logical_axes(), shapes)
  return lm, jax.jit(int8.parameters, out_shardings=where)(params)
