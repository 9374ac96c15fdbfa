"""What training takes, said before it begins."""

import functools
from collections.abc import Iterator
from typing import Any

import jax
import ml_collections
import numpy as np

from launch import outlook, progress
from tts_jax.scaling import flops
from tts_jax.train import batches, objective
from tts_jax.train import step as step_lib

# FLOP/s on two CPU cores: trainings of the package's models came to 65 to 104
# thousand million, of one 14 times larger to 342.
RATE = 75e9
_BASIS = "at 75 GFLOP/s, as the package's models are trained on two CPU cores"
# Of a token that is trained on, in passes forward.
_PASSES = 3


def begin(
  out: str,
  config: ml_collections.ConfigDict,
  lm: Any,
  goal: objective.Objective | None = None,
) -> None:
  """As `outlook.begin`, of a language model or of a verifier above it."""
  rows, length = config.data.rows, config.data.length
  each = float(flops.transformer(lm.config).per_token(length / 2))
  each *= 1 if goal and goal.frozen else _PASSES
  init: Any = lm.init
  frozen: tuple[str, ...] = ()
  if goal is not None:
    made = flops.reward_model(goal.verifier)
    each += _PASSES * float(made.per_token(length / 2))
    init, frozen = lambda key: goal.init(key, lm.init(key)), goal.frozen
  optimizer = step_lib.Optimizer(
    steps=config.schedule.steps, frozen=frozen, **config.optimizer
  )
  batch = jax.eval_shape(lambda: batches.empty(rows, length))
  size = f"{rows} rows of {length} tokens"
  steps = part(out, config, size, rows * length, each)
  outlook.begin(out, steps, memory=memory(init, optimizer, batch))


def part(
  out: str, config: Any, size: str, tokens: float, each: float
) -> outlook.Part:
  """Steps of so many tokens, each of which costs so many FLOPs."""
  steps = config.schedule.steps
  whole = steps * tokens * each
  return outlook.Part(
    name="training",
    size=f"{steps} steps of {size}",
    tokens=steps * tokens,
    flops=whole,
    seconds=whole / RATE,
    basis=_BASIS,
    done=progress.reached(out) / steps,
  )


def memory(
  init: Any, optimizer: step_lib.Optimizer, batch: Any
) -> Iterator[tuple[str, int]]:
  """What a state and a batch take; a step computes more in passing."""
  key = jax.random.key(0)
  params = jax.eval_shape(init, key)
  state = jax.eval_shape(
    functools.partial(step_lib.begin, optimizer=optimizer), key, params
  )
  moving = {k: v for k, v in params.items() if k not in optimizer.frozen}
  yield "parameters", _bytes(params)
  yield "optimizer state", _bytes(state.optimizer)
  yield "gradients", _bytes(moving)
  yield "a batch", _bytes(batch)


def _bytes(tree: Any) -> int:
  leaves = jax.tree.leaves(tree)
  return sum(int(np.prod(x.shape)) * x.dtype.itemsize for x in leaves)
