"""Reading weights as a config asks: onto its mesh, with a progress bar."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import ml_collections
import tqdm

from tts_jax import sharding, types


@contextlib.contextmanager
def settings(
  config: ml_collections.ConfigDict, what: str
) -> Iterator[dict[str, Any]]:
  """`mesh` and `progress` of what reads weights, shown where it takes long.

  Args:
    config: its `mesh` is as many devices along each axis.
    what: is read, for the bar.

  Raises:
    InputError: there are fewer devices.
  """
  bar = tqdm.tqdm(unit="B", unit_scale=True, desc=f"reading {what}", delay=2)

  def show(done: int, whole: int) -> None:
    bar.total = whole
    bar.update(done - bar.n)

  with bar:
    yield {"mesh": mesh(config), "progress": show}


def on_devices(params: types.Params) -> types.Params:
  """Parameters where they are read to, or else on the first device."""
  return params if sharding.mesh_of(params) else jax.device_put(params)


def mesh(config: ml_collections.ConfigDict) -> jax.sharding.Mesh | None:
  """The config's mesh; None where it, and all that there is, is one device."""
  # Runs of before have no such section.
  wanted = dict(config.get("mesh", {}))
  one = all(count == 1 for count in wanted.values())
  if one and jax.process_count() == 1:
    return None
  return sharding.mesh(**wanted)
