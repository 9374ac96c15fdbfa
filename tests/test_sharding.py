"""Meshes take as many devices as a batch splits over."""

import os
import subprocess
import sys

import jax
import kill_harness
import numpy as np
import pytest

from tts_jax import errors, sharding


@pytest.mark.parametrize(
  ("devices", "batch", "used"),
  [(6, 32, 4), (8, 32, 8), (1, 7, 1), (4, 7, 1), (5, 30, 5), (6, 3, 3)],
)
def test_the_most_devices_that_divide_the_batch(devices, batch, used):
  assert sharding.usable(devices, batch) == used


def test_an_empty_batch_is_refused():
  with pytest.raises(errors.InputError, match="a batch has 0 rows"):
    sharding.usable(4, 0)


def test_a_batch_splits_over_a_mesh_of_its_own():
  # Devices are fixed at start-up, so another process has six.
  code = """
import jax
import numpy as np
from tts_jax import sharding
for batch in (32, 30, 7):
  mesh = sharding.data_mesh(batch)
  placed = jax.device_put(np.zeros((batch, 3)), sharding.over_data(mesh))
  print(len(mesh.devices), len(placed.addressable_shards))
print(len(sharding.data_mesh().devices))
"""
  done = subprocess.run(
    [sys.executable, "-c", code],
    capture_output=True,
    text=True,
    check=True,
    cwd=kill_harness.ROOT,
    env={**os.environ, "JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "6"},
  )
  assert done.stdout.split() == ["4", "4", "6", "6", "1", "1", "6"]


def test_parameters_split_by_the_rules():
  mesh = sharding.mesh()
  names = jax.sharding.PartitionSpec("embed", "kv_heads", "group", "head")
  found = sharding.of(mesh, names, (16, 2, 4, 8)).spec
  assert tuple(found) == ("fsdp", "model", None, None)
  with pytest.raises(errors.InputError, match="no rule splits axis 'depth'"):
    sharding.of(mesh, jax.sharding.PartitionSpec("depth"), (3,))


def test_an_axis_that_does_not_divide_stays_whole():
  devices = np.array([jax.devices()[0]])
  mesh = jax.sharding.Mesh(devices, ("data",))
  names = jax.sharding.PartitionSpec("vocab", "embed")
  assert tuple(sharding.of(mesh, names, (5, 7)).spec) == (None, None)
  wide = jax.sharding.AbstractMesh((4, 2), ("fsdp", "model"))
  assert tuple(sharding.of(wide, names, (5, 8)).spec) == (None, "fsdp")
  assert tuple(sharding.of(wide, names, (6, 7)).spec) == ("model", None)


def test_a_mesh_of_more_devices_than_there_are_is_refused():
  with pytest.raises(errors.InputError, match="takes 128 devices; there are"):
    sharding.mesh(data=2, model=64)
