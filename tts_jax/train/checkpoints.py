"""Training states on disk, by orbax."""

import json
import os
import pathlib
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from etils import epath
from orbax.checkpoint import options

from tts_jax import errors, hosts, sharding, storage
from tts_jax.store import atomic
from tts_jax.train import step as step_lib

# In a state's folder: the hash of each of its files. Orbax reads some changed
# bytes as other numbers, without a word.
_HASHES = "hashes.json"
# In object storage, what orbax writes into a state's folder last.
_COMMITTED = "commit_success.txt"


class Checkpoints:
  """The latest states of a training run.

  A state is whole or absent: orbax writes to a temporary name and commits by a
  rename, so a kill at any moment leaves the one before. In object storage it
  writes a file last that says so; of hashes there are those that the storage
  itself keeps and checks, and none of ours. Of several processes the first
  writes and reads, and tells the others: they need no disk in common, and any
  number of them, with any devices, can go on.

  Attributes:
    folder: holds a folder per state, named by its step.
  """

  def __init__(self, folder: pathlib.Path, keep: int = 2) -> None:
    self.folder = folder
    self._manager: Any = None
    if not hosts.is_first():
      return
    alone: Any = {}
    if not hosts.single():
      atomic.make_folder(folder)  # Which orbax leaves to the processes, then.
      alone["multiprocessing_options"] = options.MultiprocessingOptions(
        primary_host=0, active_processes={0}
      )
    # A kill amid the deletion of a state that is no longer kept leaves a part.
    for old in states(folder)[:-keep]:
      epath.Path(os.fspath(old)).rmtree()
    self._manager = ocp.CheckpointManager(
      os.fspath(folder.absolute()),
      options=ocp.CheckpointManagerOptions(
        max_to_keep=keep,
        create=hosts.single(),
        # Its deadlines are by the clock on the wall, which may jump.
        enable_async_checkpointing=False,
        **alone,
      ),
    )

  def save(self, state: step_lib.TrainState, progress: dict[str, Any]) -> None:
    """Writes `state` and, as JSON, where the data and the run stand."""
    plain, step = _plain(state), int(state.step)
    if not hosts.single():
      plain = hosts.whole(plain)
    if not hosts.is_first():
      return
    self._manager.save(
      step,
      args=ocp.args.Composite(
        state=ocp.args.StandardSave(plain),
        shapes=ocp.args.JsonSave(_shapes(plain)),
        progress=ocp.args.JsonSave(progress),
      ),
    )
    self._manager.wait_until_finished()
    written = self.folder / str(step)
    if storage.is_remote(written) or (written / _HASHES).exists():
      return  # Made again after a kill; orbax keeps the one that is there.
    atomic.remove_temporary(written)
    hashes = {
      str(path.relative_to(written)): atomic.file_hash(path)
      for path in sorted(written.rglob("*"))
      if path.is_file()
    }
    atomic.write_json(written / _HASHES, hashes)

  def restore(
    self, like: step_lib.TrainState
  ) -> tuple[step_lib.TrainState, dict[str, Any]] | None:
    """The latest state, or None where there is none.

    Args:
      like: a state of the same shapes.

    Raises:
      InputError: the state on disk is of another model or optimizer, or not as
        it was written.
    """
    if hosts.single():
      found = self._restore(_plain(like))
      return found and (_keyed(found[0]), found[1])
    # Arrays of this process, as orbax reads them alone.
    mine, notes = jax.tree.map(_empty, _plain(like)), b"null"
    with hosts.alike():
      if hosts.is_first() and (found := self._restore(mine)):
        mine, notes = found[0], json.dumps(found[1]).encode()
    progress = json.loads(hosts.share(notes))
    if progress is None:
      return None
    placed = jax.tree.map(_shared, mine, _plain(like))
    return _keyed(placed), progress

  def _restore(
    self, like: step_lib.TrainState
  ) -> tuple[step_lib.TrainState, dict[str, Any]] | None:
    """As `restore`, of states with plain keys, by the process that reads."""
    latest = self._manager.latest_step()
    if latest is None:
      return None
    if found := changed(self.folder / str(latest)):
      raise errors.InputError(
        f"{found[0]}; delete {self.folder / str(latest)}, and training goes on"
        " from the state before it"
      )
    # Asked first, and apart: orbax only finds out amid reading the arrays.
    told = ocp.args.JsonRestore()
    notes = self._manager.restore(
      latest, args=ocp.args.Composite(shapes=told, progress=told)
    )
    there, here = notes["shapes"], _shapes(like)
    for name in sorted({*there, *here}):
      if there.get(name) != here.get(name):
        raise errors.InputError(
          f"{self.folder / str(latest)}: {name} is {there.get(name, 'absent')},"
          f" this configuration wants {here.get(name, 'none')}; choose another"
          " --out"
        )
    found = self._manager.restore(
      latest, args=ocp.args.Composite(state=ocp.args.StandardRestore(like))
    )
    return found["state"], notes["progress"]

  def close(self) -> None:
    """Waits for what is being written."""
    if self._manager is not None:
      self._manager.close()


def states(folder: pathlib.Path) -> list[pathlib.Path]:
  """The folders of the states in a folder of them, the latest last."""
  found = [
    path
    for path in folder.glob("*")
    if path.name.isdecimal()
    and (not storage.is_remote(path) or (path / _COMMITTED).exists())
  ]
  return sorted(found, key=lambda path: int(path.name))


def changed(state: pathlib.Path) -> list[str]:
  """Which files of a state are not as they were written, and how.

  Args:
    state: the folder of one. Where training was killed before it knew the
      hashes, as of states of before there were any or in object storage,
      nothing can be told.
  """
  path = state / _HASHES
  if not path.is_file():
    return []
  try:
    hashes = json.loads(path.read_text(encoding="utf-8"))
  except ValueError as error:
    return [f"{path}: not JSON: {error}"]
  return [
    f"{state / name}: missing or changed: its bytes do not match its hash"
    for name, wanted in hashes.items()
    if not (state / name).is_file() or atomic.file_hash(state / name) != wanted
  ]


def read(state: pathlib.Path) -> Any:
  """The arrays of a state, as numpy's, whatever it is of.

  Args:
    state: its folder.

  Raises:
    Exception: of orbax's, where it cannot be read.
  """
  reader, place = ocp.PyTreeCheckpointer(), os.fspath(state / "state")
  tree = reader.metadata(place).item_metadata.tree
  as_numpy = ocp.RestoreArgs(restore_type=np.ndarray)
  return reader.restore(
    place, restore_args=jax.tree.map(lambda _: as_numpy, tree)
  )


def _plain(state: step_lib.TrainState) -> step_lib.TrainState:
  """The state with its key as numbers, which is what orbax takes."""
  return state.replace(key=jax.random.key_data(state.key))  # type: ignore[attr-defined]


def _keyed(state: step_lib.TrainState) -> step_lib.TrainState:
  """The state that `_plain` gives these numbers of."""
  key = jax.random.wrap_key_data(state.key)
  return state.replace(key=key)  # type: ignore[attr-defined]


def _empty(leaf: Any) -> np.ndarray:
  """An array of the host that is like one of devices."""
  return np.zeros(leaf.shape, leaf.dtype)


def _shared(mine: Any, like: Any) -> jax.Array:
  """The array that process 0 has, where another one of its shape lies."""
  data = hosts.share(np.asarray(mine).tobytes())
  array = np.frombuffer(data, like.dtype).reshape(like.shape)
  return sharding.put(array, like.sharding)


def _shapes(state: step_lib.TrainState) -> dict[str, str]:
  """Type and shape of each array, by its path."""
  return {
    jax.tree_util.keystr(path): f"{leaf.dtype}{list(leaf.shape)}"
    for path, leaf in jax.tree_util.tree_leaves_with_path(state)
  }
