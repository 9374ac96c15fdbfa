"""Training states on disk, by orbax."""

import pathlib
from typing import Any

import jax
import orbax.checkpoint as ocp

from tts_jax import errors
from tts_jax.train import step as step_lib


class Checkpoints:
  """The latest states of a training run.

  A state is whole or absent: orbax writes to a temporary name and commits by a
  rename, so a kill at any moment leaves the one before.

  Attributes:
    folder: holds a folder per state, named by its step.
  """

  def __init__(self, folder: pathlib.Path, keep: int = 2) -> None:
    self.folder = folder
    self._manager = ocp.CheckpointManager(
      folder.absolute(),
      options=ocp.CheckpointManagerOptions(max_to_keep=keep, create=True),
    )

  def save(self, state: step_lib.TrainState, progress: dict[str, Any]) -> None:
    """Writes `state` and, as JSON, where the data and the run stand."""
    plain = _plain(state)
    self._manager.save(
      int(state.step),
      args=ocp.args.Composite(
        state=ocp.args.StandardSave(plain),
        shapes=ocp.args.JsonSave(_shapes(plain)),
        progress=ocp.args.JsonSave(progress),
      ),
    )
    self._manager.wait_until_finished()

  def restore(
    self, like: step_lib.TrainState
  ) -> tuple[step_lib.TrainState, dict[str, Any]] | None:
    """The latest state, or None where there is none.

    Args:
      like: a state of the same shapes.

    Raises:
      InputError: the state on disk is of another model or optimizer.
    """
    latest = self._manager.latest_step()
    if latest is None:
      return None
    plain = _plain(like)
    # Asked first, and apart: orbax only finds out amid reading the arrays.
    told = ocp.args.JsonRestore()
    notes = self._manager.restore(
      latest, args=ocp.args.Composite(shapes=told, progress=told)
    )
    there, here = notes["shapes"], _shapes(plain)
    for name in sorted({*there, *here}):
      if there.get(name) != here.get(name):
        raise errors.InputError(
          f"{self.folder / str(latest)}: {name} is {there.get(name, 'absent')},"
          f" this configuration wants {here.get(name, 'none')}; choose another"
          " --out"
        )
    found = self._manager.restore(
      latest, args=ocp.args.Composite(state=ocp.args.StandardRestore(plain))
    )
    state = found["state"]
    key = jax.random.wrap_key_data(state.key)
    return state.replace(key=key), notes["progress"]

  def close(self) -> None:
    """Waits for what is being written."""
    self._manager.close()


def _plain(state: step_lib.TrainState) -> step_lib.TrainState:
  """The state with its key as numbers, which is what orbax takes."""
  return state.replace(key=jax.random.key_data(state.key))  # type: ignore[attr-defined]


def _shapes(state: step_lib.TrainState) -> dict[str, str]:
  """Type and shape of each array, by its path."""
  return {
    jax.tree_util.keystr(path): f"{leaf.dtype}{list(leaf.shape)}"
    for path, leaf in jax.tree_util.tree_leaves_with_path(state)
  }
