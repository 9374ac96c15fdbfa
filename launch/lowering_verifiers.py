"""A published verifier as shapes alone."""

import jax
import jax.numpy as jnp
import ml_collections

from launch import known_shapes
from tts_jax import sharding, storage, types
from tts_jax.model import footprint
from tts_jax.verify import published, reading


def verifier(
  config: ml_collections.ConfigDict, mesh: jax.sharding.Mesh
) -> tuple[reading.Static, types.Params]:
  """The config's verifier and the shapes of its parameters."""
  lm = known_shapes.model(storage.fetched(config.verifier), config.prm.dtype)
  shapes, probability = published.head(config.prm.format, lm.config)
  copies = sharding.replicated(mesh)
  head = {
    name: jax.ShapeDtypeStruct(shape, jnp.float32, sharding=copies)
    for name, shape in shapes.items()
  }
  params = {"backbone": footprint.shapes(lm, mesh), "head": head}
  return reading.Static(lm, probability), params
