"""What launchers that train share: a step over all devices, and the run."""

import functools
from typing import Any, NamedTuple

import jax
from absl import logging

from launch import stopping
from tts_jax import sharding
from tts_jax.train import loop
from tts_jax.train import step as step_lib


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
  """Steps on batches of so many rows, split over this host's devices.

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
  jit = functools.partial(jax.jit, in_shardings=(copies, split))
  return Compiled(
    step=jit(step, out_shardings=(copies, copies), donate_argnums=0),
    loss=jit(loss if held_out is None else held_out),
    copies=copies,
  )


def run(
  *arguments: Any, **settings: Any
) -> tuple[step_lib.TrainState, dict[str, Any]]:
  """`loop.run` of these, which SIGTERM ends with a checkpoint of its step."""
  # Orbax logs each file that it writes, and what it raises once more.
  logging.set_verbosity(logging.FATAL)
  with stopping.deferred() as stop:
    return loop.run(*arguments, **settings, stop=stop)
