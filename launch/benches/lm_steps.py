"""Steps of a language model's training, as `launch.train_lm` sets them up."""

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from launch import generation, training
from launch.benches import steps
from tts_jax.scaling import flops
from tts_jax.tasks import base
from tts_jax.train import data
from tts_jax.train import step as step_lib


def make(
  model: generation.Generator,
  task: base.Task,
  questions: Sequence[base.Question],
  *,
  rows: int,
  length: int,
  microbatches: int,
  count: int,
) -> steps.Steps:
  """`count` steps on the questions' worked solutions, over and over."""
  optimizer = step_lib.Optimizer(**steps.OPTIMIZER)
  made = training.compiled(
    functools.partial(step_lib.loss, lm=model.lm),
    optimizer,
    rows=rows,
    microbatches=microbatches,
  )
  packed: Any = dict(rows=rows, length=length, prompt_weight=1.0)
  solved = functools.partial(endless, questions)
  params = jax.tree.map(jnp.copy, model.params)
  network = flops.transformer(model.lm.config)
  return steps.Steps(
    made,
    step_lib.begin(jax.random.key(0), params, optimizer),
    data.stream(task, model.tokenizer, solved, **packed),
    count,
    # A pass forward, and two backward.
    lambda context: 3 * float(network.per_token(context)),
  )


def endless(
  questions: Sequence[base.Question], first: int
) -> Iterator[tuple[int, base.Question]]:
  """The questions again and again, from an index on."""
  for index in itertools.count(first):
    yield index, questions[index % len(questions)]
