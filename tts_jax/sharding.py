"""Where arrays live: meshes and shardings, by names of axes."""

import jax
from jax import sharding as jax_sharding

DATA = "data"


def data_mesh(devices: int | None = None) -> jax_sharding.Mesh:
  """A mesh of one axis, `data`, over the first devices (all by default)."""
  found = jax.devices()[:devices]
  return jax.make_mesh(
    (len(found),),
    (DATA,),
    axis_types=(jax_sharding.AxisType.Auto,),
    devices=found,
  )


def over_data(mesh: jax_sharding.Mesh) -> jax_sharding.NamedSharding:
  """Splits the leading axis over `data`."""
  return jax_sharding.NamedSharding(mesh, jax_sharding.PartitionSpec(DATA))


def replicated(mesh: jax_sharding.Mesh) -> jax_sharding.NamedSharding:
  """A copy on every device."""
  return jax_sharding.NamedSharding(mesh, jax_sharding.PartitionSpec())
