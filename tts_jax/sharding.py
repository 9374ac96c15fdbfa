"""Where arrays live: meshes and shardings, by names of axes."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import sharding as jax_sharding

from tts_jax import errors

DATA, FSDP, MODEL = "data", "fsdp", "model"

# The mesh axis over which each axis of an array is split; None: over none.
RULES = {
  # Of parameters.
  "vocab": MODEL,
  "embed": FSDP,
  "kv_heads": MODEL,
  "group": None,
  "head": None,
  "gate_up": None,
  "mlp": MODEL,
  # Of states, whose caches have `kv_heads` and `head` too.
  "questions": DATA,
  "rows": None,
  "slots": None,
}


def usable(devices: int, batch: int) -> int:
  """The largest number of `devices` that `batch` rows split over evenly.

  Raises:
    errors.InputError: `batch` is below 1.
  """
  if batch < 1:
    raise errors.InputError(f"a batch has {batch} rows; it must have some")
  return max(n for n in range(1, devices + 1) if batch % n == 0)


def mesh(
  *,
  data: int = 1,
  fsdp: int = 1,
  model: int = 1,
  devices: Sequence[jax.Device] | None = None,
) -> jax_sharding.Mesh:
  """A mesh of as many devices along each axis, the first of those there are.

  Args:
    data: along the axis of this name.
    fsdp: along the axis of this name.
    model: along the axis of this name.
    devices: that there are; None: those of all processes.

  Raises:
    errors.InputError: there are fewer devices, or some that other processes
      have are left out.
  """
  sizes = data, fsdp, model
  found = jax.devices() if devices is None else list(devices)
  count = math.prod(sizes)
  if not 1 <= count <= len(found):
    raise errors.InputError(
      f"a mesh of {data} x {fsdp} x {model} (data, fsdp, model) takes {count}"
      f" devices; there are {len(found)}"
    )
  if devices is None and jax.process_count() > 1 and count != len(found):
    raise errors.InputError(
      f"a mesh of {data} x {fsdp} x {model} (data, fsdp, model) takes {count}"
      f" devices; {jax.process_count()} processes have {len(found)}, and a mesh"
      " must take all of them"
    )
  return jax.make_mesh(
    sizes,
    (DATA, FSDP, MODEL),
    axis_types=(jax_sharding.AxisType.Auto,) * 3,
    devices=found[:count],
  )


def data_mesh(batch: int | None = None) -> jax_sharding.Mesh:
  """A mesh of one axis, `data`, over as many devices of each process.

  Args:
    batch: rows that are split over `data` at once; devices over which they
      would not split evenly are left out. None: all are taken.

  Raises:
    errors.InputError: the rows do not split evenly over the processes.
  """
  processes, own = jax.process_count(), jax.local_device_count()
  if batch is not None:
    if batch % processes:
      raise errors.InputError(
        f"a batch has {batch} rows; {processes} processes need a multiple of"
        f" {processes}"
      )
    own = usable(own, batch // processes)
  found = [
    device
    for process in range(processes)
    for device in [d for d in jax.devices() if d.process_index == process][:own]
  ]
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


def of(
  mesh: jax_sharding.Mesh | jax_sharding.AbstractMesh,
  names: jax_sharding.PartitionSpec,
  shape: tuple[int, ...],
) -> jax_sharding.NamedSharding:
  """The sharding of a parameter or of an array of a state, by `RULES`.

  An axis that its mesh axis does not divide is not split, nor is one whose mesh
  axis the mesh does not have.

  Args:
    mesh: any of the axes `data`, `fsdp` and `model`.
    names: of the array's axes; None is split over none.
    shape: of the array.

  Raises:
    errors.InputError: a name is not one of `RULES`.
  """
  axes: list[str | None] = []
  for name, size in zip(names, shape, strict=True):
    if name is not None and name not in RULES:
      raise errors.InputError(
        f"no rule splits axis {name!r}; there are rules for {', '.join(RULES)}"
      )
    axis = None if name is None else RULES[name]
    whole = axis is None or size % mesh.shape.get(axis, 1)
    axes.append(None if whole or axis not in mesh.shape else axis)
  return jax_sharding.NamedSharding(mesh, jax_sharding.PartitionSpec(*axes))


def tree(
  mesh: jax_sharding.Mesh | jax_sharding.AbstractMesh, names: Any, arrays: Any
) -> Any:
  """As `of`, for each array of a tree, or each array's shape.

  Args:
    mesh: as for `of`.
    names: the tree with a `PartitionSpec` of axis names at each leaf.
    arrays: the tree.
  """
  return jax.tree.map(
    lambda one, leaf: of(mesh, one, leaf.shape),
    names,
    arrays,
    is_leaf=lambda node: isinstance(node, jax_sharding.PartitionSpec),
  )


def shapes(arrays: Any, where: Any) -> Any:
  """The shape of each array of a tree with its sharding, for what compiles."""
  return jax.tree.map(
    lambda leaf, one: jax.ShapeDtypeStruct(
      leaf.shape, leaf.dtype, sharding=one
    ),
    arrays,
    where,
  )


def mesh_of(arrays: Any) -> jax_sharding.Mesh | None:
  """The mesh that arrays, or their shapes, stand on; None if on none."""
  for leaf in jax.tree.leaves(arrays):
    where = getattr(leaf, "sharding", None)
    if isinstance(where, jax_sharding.NamedSharding):
      assert isinstance(where.mesh, jax_sharding.Mesh)
      return where.mesh
  return None


def put(array: np.ndarray, where: jax_sharding.NamedSharding) -> jax.Array:
  """An array that every process has, on the devices: each its own part."""
  return jax.make_array_from_callback(
    array.shape, where, lambda index: np.asarray(array[index], order="C")
  )


def fed(
  function: Callable[[Any, Any], Any], where: jax_sharding.NamedSharding
) -> Callable[[Any, Any], Any]:
  """A compiled function of two trees, whose second all processes have whole.

  Args:
    function: takes the second one where it is to lie.
    where: that is.
  """
  if jax.process_count() == 1:
    return function  # Which puts it there itself.
  put_there = functools.partial(put, where=where)
  return lambda first, second: function(first, jax.tree.map(put_there, second))
