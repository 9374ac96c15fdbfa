"""What launchers that train share: a step over all devices, and the run."""

import functools
import os
from typing import Any, NamedTuple

import jax
from absl import logging

from launch import stopping
from tts_jax import hosts, sharding
from tts_jax.train import loop
from tts_jax.train import step as step_lib


def use_all_cores() -> None:
  """A device per core: XLA's own threads leave half of two cores idle."""
  if jax.config.jax_num_cpu_devices < 0:  # Not said by who starts it.
    jax.config.update("jax_num_cpu_devices", os.cpu_count())


class Compiled(NamedTuple):
  """A step and a held-out loss; `copies` is where a state lies."""

  step: loop.StepFn
  loss: loop.LossFn
  copies: jax.sharding.NamedSharding

  def place(self, state: step_lib.TrainState) -> step_lib.TrainState:
    """A state of this process, which all have alike, on all devices."""
    return jax.jit(lambda same: same, out_shardings=self.copies)(state)


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
  step = functools.partial(
    step_lib.train_step,
    loss=loss,
    optimizer=optimizer,
    microbatches=microbatches,
  )
  jit = functools.partial(
    jax.jit, in_shardings=(copies, split), out_shardings=(copies, copies)
  )
  return Compiled(
    step=_fed(jit(step, donate_argnums=0), split),
    loss=_fed(jit(loss if held_out is None else held_out), split),
    copies=copies,
  )


def _fed(function: Any, split: jax.sharding.NamedSharding) -> Any:
  """A function of a batch, given it as arrays of the host."""
  if hosts.single():
    return function

  def fed(first: Any, batch: Any) -> Any:
    put = functools.partial(sharding.put, where=split)
    return function(first, jax.tree.map(put, batch))

  return fed


def run(
  *arguments: Any, **settings: Any
) -> tuple[step_lib.TrainState, dict[str, Any]]:
  """`loop.run` of these, which SIGTERM ends with a checkpoint of its step."""
  # Orbax logs each file that it writes, and what it raises once more.
  logging.set_verbosity(logging.FATAL)
  with stopping.deferred() as stop:
    return loop.run(*arguments, **settings, stop=stop)
