"""A step of training, to be compiled from shapes alone."""

import functools
from typing import Any

import jax
import ml_collections

from launch import lowering
from tts_jax import sharding
from tts_jax.model import transformer
from tts_jax.train import batches
from tts_jax.train import step as step_lib


def job(
  config: ml_collections.ConfigDict,
  lm: transformer.Transformer,
  mesh: jax.sharding.Mesh,
) -> lowering.Job:
  """Its batch is split over `data`, as `launch.train_lm` splits it."""
  optimizer = step_lib.Optimizer(
    steps=config.schedule.steps, **config.optimizer
  )
  copies, split = sharding.replicated(mesh), sharding.over_data(mesh)
  static: Any = dict(
    loss=functools.partial(step_lib.loss, lm=lm),
    optimizer=optimizer,
    microbatches=config.data.microbatches,
  )
  program = jax.jit(
    functools.partial(step_lib.train_step, **static),
    in_shardings=(copies, split),
    out_shardings=(copies, copies),
    donate_argnums=0,
  )
  init = functools.partial(step_lib.init, lm=lm, optimizer=optimizer)
  state = jax.eval_shape(init, jax.random.key(0))
  rows, length = config.data.rows, config.data.length
  batch = jax.eval_shape(lambda: batches.empty(rows, length))
  return lowering.Job(name="train", program=program, args=(state, batch))
