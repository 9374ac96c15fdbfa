"""Metrics as TensorBoard reads them, by the extra `tensorboard`."""

import importlib.util
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from absl import flags

from tts_jax.store import atomic
from tts_jax.train import loop

flags.disclaim_key_flags()  # So that --help counts them as the launcher's own.
FOLDER = "tensorboard"


def define_flag() -> None:
  """Defines --tensorboard, which is refused where the extra is missing."""
  flags.DEFINE_bool(
    "tensorboard", False, f"Write metrics to {FOLDER}/ of the run, too."
  )
  flags.register_validator(
    "tensorboard",
    lambda on: not on or importlib.util.find_spec("tensorboardX") is not None,
    "tensorboardX is missing; it comes with the extra tensorboard: pip install"
    " -e '.[tensorboard]'",
  )


def writer(folder: pathlib.Path) -> Callable[[int], loop.Write]:
  """As `beside` of `loop.run`: writes event files of the run in `folder`.

  A line is on the disk when the call returns, as the library's own
  `SummaryWriter` does not do it. What a killed run has written past its
  checkpoint is not shown any more.
  """

  def begin(step: int) -> loop.Write:
    from tensorboardX import event_file_writer, summary
    from tensorboardX.proto import event_pb2

    atomic.make_folder(folder / FOLDER)
    # Files are named by the second, in which another may have been begun.
    file = event_file_writer.EventsWriter(
      str(folder / FOLDER / "events"), f".{step}"
    )

    def put(at: float, **what: Any) -> None:
      file.write_event(
        event_pb2.Event(wall_time=time.time(), step=int(at), **what)
      )

    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    put(step + 1, session_log=start)

    def write(line: Mapping[str, float]) -> None:
      for name, value in line.items():
        if name != "step":
          put(line["step"], summary=summary.scalar(name, value))
      file.flush()

    return write

  return begin
