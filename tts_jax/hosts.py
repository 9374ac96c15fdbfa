"""What the processes of one run tell each other; with one, nothing is told.

All processes run the same program on the same inputs and call these functions
in the same order: each waits for all the others.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from tts_jax import errors

# Bytes that are sent at once: a size, so that one program sends them all.
_BLOCK = 1 << 22


def single() -> bool:
  """Whether there is one process alone."""
  return jax.process_count() == 1


def is_first() -> bool:
  """Whether this is process 0, which alone writes a run."""
  return jax.process_index() == 0


def any_of(flag: bool) -> bool:
  """Whether any process says so."""
  return bool(_all(np.int32(flag)).any())


def share(data: bytes, source: int = 0) -> bytes:
  """What one process has, on all of them.

  Args:
    data: read on the source alone.
    source: index of a process.
  """
  if single():
    return data
  mine = jax.process_index() == source
  # In two numbers of 31 bits: without x64 there are none of 64.
  parts = divmod(len(data) if mine else 0, 1 << 31)
  high, low = _all(np.array(parts, np.int32)).sum(0, dtype=np.int64)
  size = int(high << 31) + int(low)
  whole = np.zeros(-(-size // _BLOCK) * _BLOCK, np.uint8)
  if mine:
    whole[:size] = np.frombuffer(data, np.uint8)
  for start in range(0, size, _BLOCK):
    place = slice(start, start + _BLOCK)
    # Not as numbers of a type: a sum with zeros makes 0.0 of -0.0.
    whole[place] = multihost_utils.broadcast_one_to_all(whole[place], mine)
  return whole[:size].tobytes()


@contextlib.contextmanager
def alike() -> Iterator[None]:
  """What one process refuses within it, all refuse at its end.

  Raises:
    InputError: that of the first process that has one.
  """
  said = ""
  try:
    yield
  except errors.InputError as error:
    said = str(error)
  wrong = np.flatnonzero(_all(np.int32(bool(said))))
  if wrong.size:
    text = share(said.encode(), int(wrong[0])).decode()
    raise errors.InputError(text)


def whole(tree: Any) -> Any:
  """Arrays that are split over devices, whole: numpy's, on every process."""

  def gathered(leaf: Any) -> Any:
    here = not isinstance(leaf, jax.Array) or leaf.is_fully_addressable
    if here or leaf.is_fully_replicated:
      return leaf
    return multihost_utils.process_allgather(leaf, tiled=True)

  return jax.device_get(jax.tree.map(gathered, tree))


def _all(value: Any) -> np.ndarray:
  """A number of each process, by their order."""
  if single():
    return np.asarray(value)[None]
  return np.asarray(multihost_utils.process_allgather(value))
