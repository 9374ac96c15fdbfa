"""What launchers that label share: the plan, the engine, a run's labels."""

import time

import ml_collections
import tqdm

from launch import generation
from tts_jax.decode import pools
from tts_jax.store import pool, run, shards
from tts_jax.tasks import base
from tts_jax.verify import labels, rollouts


def plan(config: ml_collections.ConfigDict) -> rollouts.Rollouts:
  """How prefixes are rolled out."""
  most = config.limits.max_tokens
  return rollouts.Rollouts(config.rollouts, most, config.engine.branches)


def engine(
  model: generation.Generator, config: ml_collections.ConfigDict
) -> pools.Sample:
  """What draws rollouts, compiled."""
  wanted = plan(config)
  return generation.engine(
    model,
    config,
    samples=max(wanted.count, 1),  # With 0, no request is made.
    prompt_tokens=wanted.longest(config.limits.prompt_tokens),
    room=wanted.room,
  )


def label_pool(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
) -> shards.Stage:
  """Fills the labels of a run's pool, with a progress bar."""
  sample = engine(model, config)
  drawn = shards.read(folder.path / pool.STAGE, labels.POOL_COLUMNS)
  stage = labels.open_stage(folder, questions, model.folder)
  print(f"{stage.folder}: {stage.report}", flush=True)
  size, start = len(questions), time.monotonic()
  batch = config.engine.batch
  kept = size - len(pools.missing(stage, questions, batch))
  given = stage, questions, drawn, sample, task, model.tokenizer
  with tqdm.tqdm(total=size, initial=kept, unit="question") as bar:
    for progress in labels.fill(*given, plan(config), batch):
      rate = progress.stats.generated / (time.monotonic() - start)
      bar.set_postfix_str(f"{rate:,.0f} tokens/s", refresh=False)
      bar.update(size - progress.left - bar.n)
  return stage
