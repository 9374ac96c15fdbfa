"""Slices of TPUs that are not there: the compiler's, their chips, a mesh."""

import importlib.util
import os
import pathlib
from collections.abc import Mapping

import jax
from jax.experimental import topologies

from tts_jax import errors, sharding
from tts_jax.scaling import chips

# What libtpu is told before it is loaded: to ask no metadata server where it
# is, not to take hold of chips, and of which machine it might be.
_SETTINGS = {
  "TPU_SKIP_MDS_QUERY": "1",
  "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
  "TPU_WORKER_HOSTNAMES": "localhost",
  "TPU_ACCELERATOR_TYPE": "v5litepod-8",
}


def chip(name: str) -> chips.Chip:
  """The chip of a topology, whose name is such as v5e:2x4.

  Raises:
    InputError: it is of none that is known.
  """
  kind = name.partition(":")[0]
  if kind not in chips.CHIPS:
    raise errors.InputError(
      f"--topology={name}: must be a chip of {', '.join(chips.CHIPS)} and its"
      " slice, such as v5e:2x4 or v5p:2x2x2"
    )
  return chips.CHIPS[kind]


def library() -> pathlib.Path:
  """The compiler.

  Raises:
    InputError: it is missing.
  """
  found = importlib.util.find_spec("libtpu")
  if found is None or found.origin is None:
    raise errors.InputError(
      "libtpu, the compiler, is missing; it comes with the extra tpu-aot: pip"
      " install -e '.[tpu-aot]'"
    )
  return pathlib.Path(found.origin).parent / "libtpu.so"


def mesh(name: str, wanted: Mapping[str, int]) -> jax.sharding.Mesh:
  """A mesh of all chips of a topology.

  Args:
    name: of the topology.
    wanted: chips along `fsdp` and `model`; the rest stand along `data`.

  Raises:
    InputError: libtpu is missing, or does not know the topology, or its chips
      do not split so.
  """
  chip(name)
  os.environ["TPU_LIBRARY_PATH"] = str(library())
  for key, value in _SETTINGS.items():
    os.environ.setdefault(key, value)
  jax.config.update("jax_platforms", "cpu")
  # A host has four chips or more, unless it is said to have one.
  alone = name.partition(":")[2] in ("1x1", "1x1x1")
  bounds = {"chips_per_host_bounds": (1, 1, 1)} if alone else {}
  try:
    slice_ = topologies.get_topology_desc(name, "tpu", **bounds)
  except jax.errors.JaxRuntimeError as error:
    raise errors.InputError(f"--topology={name}: {error}") from error
  devices = slice_.devices
  inner = {axis: wanted.get(axis, 1) for axis in ("fsdp", "model")}
  each = inner["fsdp"] * inner["model"]
  if each < 1 or len(devices) % each:
    raise errors.InputError(
      f"--topology={name} has {len(devices)} chips, which do not split over"
      f" {inner['fsdp']} x {inner['model']} (fsdp, model); give"
      " --config.mesh.model, or --model, a divisor of it"
    )
  return sharding.mesh(data=len(devices) // each, **inner, devices=devices)
