"""What training a difficulty head takes, said before it begins."""

import dataclasses
import pathlib

import jax
import jax.numpy as jnp
import ml_collections

from launch import outlook, training_forecasts
from tts_jax.model import transformer
from tts_jax.scaling import flops
from tts_jax.store import pool
from tts_jax.train import difficulty
from tts_jax.train import step as step_lib
from tts_jax.verify import difficulty_head


def begin(
  out: str,
  config: ml_collections.ConfigDict,
  head: difficulty_head.DifficultyHead,
  lm: transformer.Transformer,
) -> None:
  """As `outlook.begin`: prompts are read once, then the head is trained."""
  runs = map(pathlib.Path, (*config.pools, config.held_out))
  questions = sum(pool.expected(run) or 0 for run in runs)
  prompt, rows = config.data.prompt_tokens, config.data.rows
  tokens = questions * prompt
  reading = tokens * float(flops.transformer(lm.config).per_token(prompt / 2))
  read = outlook.Part(
    name="prompts",
    size=f"{questions} of {prompt} tokens",
    tokens=tokens,
    flops=reading,
    seconds=reading / training_forecasts.RATE,
  )
  optimizer = step_lib.Optimizer(
    steps=config.schedule.steps, frozen=difficulty.FROZEN, **config.optimizer
  )
  size = f"{rows} questions"
  trained = training_forecasts.part(out, config, size, 0, 0)
  trained = dataclasses.replace(
    trained, flops=3 * rows * config.schedule.steps * head.flops
  )
  features = jax.ShapeDtypeStruct((rows, 2 * head.input_width), jnp.float32)
  taken = training_forecasts.memory(head.init, optimizer, features)
  outlook.begin(out, read, trained, memory=taken)
