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
    plain = state.replace(key=jax.random.key_data(state.key))  # type: ignore[attr-defined]
    self._manager.save(
      int(state.step),
      args=ocp.args.Composite(
        state=ocp.args.StandardSave(plain),
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
    plain = like.replace(key=jax.random.key_data(like.key))  # type: ignore[attr-defined]
    try:
      found = self._manager.restore(
        latest,
        args=ocp.args.Composite(
          state=ocp.args.StandardRestore(plain),
          progress=ocp.args.JsonRestore(),
        ),
      )
    except (ValueError, KeyError) as error:
      raise errors.InputError(
        f"{self.folder / str(latest)}: the checkpoint does not fit this "
        f"configuration ({str(error).splitlines()[0]}); choose another --out"
      ) from error
    state = found["state"]
    key = jax.random.wrap_key_data(state.key)
    return state.replace(key=key), found["progress"]

  def close(self) -> None:
    """Waits for what is being written."""
    self._manager.close()
