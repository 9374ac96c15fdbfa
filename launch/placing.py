"""What launchers that place questions share: a difficulty head."""

import dataclasses
import pathlib

import jax
import ml_collections
import numpy as np

from launch import generation
from tts_jax import types
from tts_jax.decode import pools
from tts_jax.scaling import estimates, flops
from tts_jax.tasks import base
from tts_jax.verify import (
  difficulty_head,
  embedded,
  saved,
  saved_difficulty,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placer:
  """A difficulty head on the device, and its folder."""

  head: difficulty_head.DifficultyHead
  params: types.Params
  folder: pathlib.Path


def load(
  config: ml_collections.ConfigDict, model: generation.Generator
) -> Placer | None:
  """The config's head, checked against the model; None where there is none."""
  folder = embedded.difficulty(config.difficulty, model.folder)
  if folder is None:
    return None
  head, params = saved_difficulty.load(folder, saved.origin(model.folder))
  saved_difficulty.check_fit(head, model.lm.config)
  return Placer(head=head, params=jax.device_put(params), folder=folder)


def estimate(
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  placer: Placer,
) -> estimates.Estimate:
  """What the head predicts of a run's questions, by a pass over the prompt."""
  predict = difficulty_head.predictor(
    placer.head,
    placer.params,
    model.lm,
    model.params,
    prompt_tokens=config.limits.prompt_tokens,
    rows=config.engine.groups,
    compiler=jax.jit,
  )
  asked = [pools.request(one, task, model.tokenizer) for one in questions]
  size = np.array([len(one.tokens) for one in asked])
  cost = flops.placing(model.lm.config, placer.head, size)
  return estimates.given(estimates.HEAD, predict(asked), cost)
