"""In which numbers weights and caches are held: as a config and a device ask.

XLA writes to a bfloat16 cache on a CPU by way of float32, all of it at every
token: a step of 128 rows of a model of 32.6M parameters took 77 ms on two cores
with such a cache and 58 ms with a float32 one, both with bfloat16 products.
Rows of several questions it cannot attend to a bfloat16 cache at all.
"""

import dataclasses

import jax

from tts_jax import errors, sharding, types
from tts_jax.model import int8, transformer

_WAYS = "", "weights", "cache", "both"
# Of a cache.
_SLOW = "cpu", "bfloat16"


def fast(lm: transformer.Transformer, platform: str) -> transformer.Transformer:
  """The model with a cache that is fast there, if it asks for no other.

  Args:
    lm: the model.
    platform: of the devices that it runs on: "cpu", "gpu" or "tpu".
  """
  if lm.config.cache_dtype or (platform, lm.config.dtype) != _SLOW:
    return lm
  cfg = dataclasses.replace(lm.config, cache_dtype="float32")
  return transformer.Transformer(cfg)


def shaped(
  lm: transformer.Transformer, what: str, platform: str
) -> transformer.Transformer:
  """The model that holds `what` in 8 bits, and the rest as is fast there.

  Args:
    lm: as it was loaded.
    what: of `_WAYS`.
    platform: as for `fast`.

  Raises:
    InputError: `what` is none of the ways.
  """
  if what not in _WAYS:
    ways = ", ".join(repr(way) for way in _WAYS)
    raise errors.InputError(f"int8 is {what!r}; it must be one of {ways}")
  cfg = dataclasses.replace(
    lm.config,
    weight_dtype="int8" if what in ("weights", "both") else "",
    cache_dtype="int8" if what in ("cache", "both") else "",
  )
  return fast(transformer.Transformer(cfg), platform)


def held(
  lm: transformer.Transformer, params: types.Params, what: str
) -> tuple[transformer.Transformer, types.Params]:
  """The model, and its parameters, where they were.

  Raises:
    InputError: `what` is none of the ways.
  """
  lm = shaped(lm, what, jax.default_backend())
  if not lm.config.weight_dtype:
    return lm, params
  mesh, where = sharding.mesh_of(params), None
  if mesh is not None:
    shapes = jax.eval_shape(int8.parameters, params)
    where = sharding.tree(mesh, lm.logical_axes(), shapes)
  return lm, jax.jit(int8.parameters, out_shardings=where)(params)
