"""Where arrays live: meshes and shardings, by names of axes."""

import jax
from jax import sharding as jax_sharding

from tts_jax import errors

DATA = "data"


def usable(devices: int, batch: int) -> int:
  """The largest number of `devices` that `batch` rows split over evenly.

  Raises:
    errors.InputError: `batch` is below 1.
  """
  if batch < 1:
    raise errors.InputError(f"a batch has {batch} rows; it must have some")
  return max(n for n in range(1, devices + 1) if batch % n == 0)


def data_mesh(batch: int | None = None) -> jax_sharding.Mesh:
  """A mesh of one axis, `data`, over this host's devices.

  Args:
    batch: rows that are split over `data` at once; devices over which they
      would not split evenly are left out. None: all are taken.
  """
  found = jax.local_devices()
  if batch is not None:
    found = found[: usable(len(found), batch)]
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
