"""A run: a locked folder of one config and its stages."""

import contextlib
import fcntl
import functools
import os
import pathlib
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import pyarrow as pa

from tts_jax import errors, storage
from tts_jax.store import atomic, lease, manifest, shards

CONFIG_FILE = "config.json"
# Training's folders of states, each in a folder named by its step.
CHECKPOINTS, BEST = "checkpoints", "best"
_LOCK_FILE = ".lock"

# Descriptors of the locks that this process holds. A lock lives as long as any
# copy of its descriptor, so a forked grader that outlives us would keep it.
_held: set[int] = set()


def _forget_locks() -> None:
  for descriptor in _held:
    os.close(descriptor)
  _held.clear()


os.register_at_fork(after_in_child=_forget_locks)


class Source(Protocol):
  """What was drawn before, and need not be drawn again."""

  def fill(self, name: str, stage: shards.Stage) -> int:
    """Writes what the stage `name` lacks and is here; returns the batches."""
    ...


class Run:
  """A run's folder, held by this process until `close`.

  ```python
  with run.Run.open("runs/first", config) as folder:
    stage = folder.stage("pool", pool.SCHEMA, inputs_hash)
    for batch in sorted(set(range(batches)) - stage.done()):
      stage.write(batch, sample(batch))
  ```

  Attributes:
    path: the folder.
    source: fills stages as they are opened; None: nothing does.
    agree: as of the stages that are opened.
    config_hash: hash of its config.
    fresh: when it was opened, it held no shard and no training state.
    removed: names of temporary files that a killed writer had left in it.
  """

  def __init__(
    self,
    path: pathlib.Path,
    config_hash: str,
    *,
    fresh: bool,
    release: Callable[[], None],
  ):
    """Use `open`: it takes the lock first."""
    self.path = path
    self.source: Source | None = None
    self.agree: shards.Agree | None = None
    self.config_hash = config_hash
    self.fresh = fresh
    self.removed = atomic.remove_temporary(path)
    self._release: Callable[[], None] | None = release

  @classmethod
  def open(
    cls, path: str | os.PathLike[str], config: Mapping[str, Any]
  ) -> "Run":
    """Makes or re-opens a run's folder and locks it.

    The kernel releases the lock when this process ends, however it ends; in
    object storage there is a `lease.Lease` instead.
    Another config than the folder's takes its place as long as nothing was made
    with the old one, so that a wrong value can be corrected.

    Args:
      path: the folder; it is made with its parents.
      config: plain data, as for `manifest.config_hash`.

    Returns:
      The run, to be closed.

    Raises:
      InputError: another process holds the folder; what it holds was made with
        another config; it cannot be written or locked; the disk is full.
    """
    folder = storage.at(path)
    atomic.make_folder(folder)
    release = _take_lock(folder)
    try:
      fresh = not _holds_work(folder)
      claimed = manifest.claim(folder / CONFIG_FILE, config, replace=fresh)
      return cls(folder, claimed, fresh=fresh, release=release)
    except BaseException:
      release()
      raise

  def stage(
    self, name: str, schema: pa.Schema, inputs_hash: str
  ) -> shards.Stage:
    """Opens the stage `name`, keeping what is whole, filled from `source`.

    Args:
      name: the stage's folder inside the run.
      schema: columns of its shards.
      inputs_hash: hash of all it reads besides the config.

    Raises:
      InputError: as `shards.Stage`.
      ValueError: the run is closed.
    """
    if self._release is None:
      raise ValueError(f"{self.path}: the run is closed")
    opened = shards.Stage(
      self.path / name,
      schema,
      config_hash=self.config_hash,
      inputs_hash=inputs_hash,
      agree=self.agree,
    )
    if self.source is not None:
      self.source.fill(name, opened)
    return opened

  def write_json(self, name: str, value: Any) -> None:
    """Writes `name` in the folder, as `atomic.write_json`."""
    atomic.write_json(self.path / name, value)

  def close(self) -> None:
    """Releases the lock; harmless when done twice."""
    if self._release is not None:
      self._release()
      self._release = None

  def __enter__(self) -> "Run":
    return self

  def __exit__(
    self,
    kind: type[BaseException] | None,
    error: BaseException | None,
    trace: types.TracebackType | None,
  ) -> None:
    self.close()


@contextlib.contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
  """A run's folder, which no process writes meanwhile.

  Nothing is written into it, and it may be one that cannot be.

  Raises:
    InputError: a process is writing it; there is no such folder.
  """
  folder = storage.at(path)
  if not folder.is_dir():
    raise errors.InputError(f"{folder}: no such folder")
  if not (folder / _LOCK_FILE).exists():
    yield folder  # Copied without its lock, or packed: nobody writes it.
    return
  if storage.is_remote(folder):
    lease.check(folder / _LOCK_FILE)
    yield folder  # Who begins to write it now is not kept from it.
    return
  release = _take_lock(folder, os.O_RDONLY, fcntl.LOCK_SH)
  try:
    yield folder
  finally:
    release()


def _holds_work(folder: pathlib.Path) -> bool:
  """Whether a stage has a shard or training has a state."""
  for path in folder.glob("*/*"):
    if shards.is_shard(path):
      return True
    if path.parent.name in (CHECKPOINTS, BEST) and path.name.isdecimal():
      return True
  return False


def _take_lock(
  folder: pathlib.Path,
  mode: int = os.O_RDWR | os.O_CREAT,
  kind: int = fcntl.LOCK_EX,
) -> Callable[[], None]:
  """Locks the folder's lock file; returns what releases it."""
  if storage.is_remote(folder):
    return lease.Lease(folder / _LOCK_FILE).release
  try:
    descriptor = os.open(folder / _LOCK_FILE, mode, 0o666)
  except OSError as error:
    if error.errno not in atomic.REFUSED:
      raise
    raise errors.InputError(
      f"{folder}: this folder is not writable ({error.strerror}); give another,"
      " or make it so"
    ) from error
  try:
    fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
  except BlockingIOError as error:
    os.close(descriptor)
    raise errors.InputError(
      f"{folder}: another process is writing this run; wait for it, end it, or"
      " give another folder"
    ) from error
  except OSError as error:
    os.close(descriptor)
    raise errors.InputError(
      f"{folder}: its file system cannot lock files ({error.strerror}); give a"
      " folder on a local disk"
    ) from error
  _held.add(descriptor)
  return functools.partial(_release_lock, descriptor)


def _release_lock(descriptor: int) -> None:
  if descriptor not in _held:
    return  # A forked child: the lock is its parent's.
  _held.remove(descriptor)
  # Unlocking reaches copies that a child made without Python's fork.
  fcntl.flock(descriptor, fcntl.LOCK_UN)
  os.close(descriptor)
