"""What launchers that train share: a step over all devices, and the run."""

import functools
import os
import pathlib
from typing import Any, NamedTuple

import jax
from absl import flags, logging

from launch import events, outlook, processes, stopping
from tts_jax import sharding
from tts_jax.train import loop
from tts_jax.train import step as step_lib

flags.disclaim_key_flags()  # So that --help counts them as the launcher's own.


def use_all_cores() -> None:
  """A device per core: XLA's own threads leave half of two cores idle."""
  config: Any = jax.config
  # Not where it is said, nor for one of several: they have met on theirs.
  if config.jax_num_cpu_devices < 0 and not processes.joined():
    config.update("jax_num_cpu_devices", os.cpu_count())


class Compiled(NamedTuple):
  """A step and a held-out loss; `copies` is where a state lies."""

  step: loop.StepFn
  loss: loop.LossFn
  copies: jax.sharding.NamedSharding


def compiled(
  loss: Any,
  optimizer: step_lib.Optimizer,
  *,
  rows: int,
  microbatches: int = 1,
  held_out: Any = None,
) -> Compiled:
  """Steps on batches of so many rows, split over all devices.

  Each process is given the whole of a batch, and puts its part on its devices.

  Args:
    loss: a `step.Loss`.
    optimizer: of the run.
    rows: of a batch.
    microbatches: as of `step.train_step`.
    held_out: from (params, batch) to what validation tells; None: the loss.
  """
  mesh = sharding.data_mesh(rows)
  copies, split = sharding.replicated(mesh), sharding.over_data(mesh)
  how: Any = dict(loss=loss, optimizer=optimizer, microbatches=microbatches)
  step = functools.partial(step_lib.train_step, **how)
  jit = functools.partial(
    jax.jit, in_shardings=(copies, split), out_shardings=(copies, copies)
  )
  return Compiled(
    step=sharding.fed(jit(step, donate_argnums=0), split),
    loss=sharding.fed(jit(loss if held_out is None else held_out), split),
    copies=copies,
  )


def out_flag(default: str) -> flags.FlagHolder:
  """Defines --out, and what else all that train have."""
  events.define_flag()
  return outlook.out_flag(default, "Folder of the run.")


def run(
  state: step_lib.TrainState,
  data: Any,
  held_out: Any,
  folder: pathlib.Path,
  **settings: Any,
) -> tuple[step_lib.TrainState, dict[str, Any]]:
  """`loop.run` of these, which SIGTERM ends with a checkpoint of its step."""
  if flags.FLAGS.tensorboard:
    settings["beside"] = events.writer(folder)
  # Orbax logs each file that it writes, and what it raises once more.
  logging.set_verbosity(logging.FATAL)
  with stopping.deferred() as stop:
    return loop.run(state, data, held_out, folder, **settings, stop=stop)
