"""What launchers that need a pool share: its questions and its filling."""

import time
from typing import Any

import ml_collections
import tqdm

from launch import asking, generation
from tts_jax.decode import pools, usage
from tts_jax.store import pool, run
from tts_jax.tasks import base, jsonl, selection, training


def find_questions(
  config: ml_collections.ConfigDict,
) -> tuple[base.Task, list[base.Question]]:
  """The task, and the questions that the config asks for."""
  return asking.put(config, *read_questions(config))


def read_questions(
  config: ml_collections.ConfigDict,
) -> tuple[base.Task, list[base.Question]]:
  """As `find_questions`, with the task's own prompts."""
  wanted = config.questions
  # Runs of before have neither a solution's field nor an id's.
  names = ("answer", "solution", "id")
  named: Any = {name: wanted.get(name) or None for name in names}
  return selection.select(
    config.task,
    count=wanted.count,
    seed=config.seed,
    path=wanted.path,
    fields=jsonl.Fields(question=wanted.question, **named),
    split=wanted.get("split", ""),
    held_out=wanted.get("held_out", 0.0),
  )


def find_training(
  config: ml_collections.ConfigDict,
) -> tuple[base.Task, list[base.Question]]:
  """As `find_questions`: new questions to train on, or those of a file."""
  if config.task == selection.FILE_TASK:
    return find_questions(config)
  wanted, seed = config.questions, config.seed
  found = training.draw(
    config.task, split=wanted.split, count=wanted.count, seed=seed
  )
  return asking.put(config, *found)


def sample_pool(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
) -> usage.Usage:
  """Fills a run's pool, with a progress bar; returns what that cost in all."""
  sample = generation.engine(
    model,
    config,
    samples=config.samples,
    prompt_tokens=config.limits.prompt_tokens,
  )
  inputs_hash = pools.inputs_hash(questions, model.folder)
  stage = folder.stage(pool.STAGE, pool.SCHEMA, inputs_hash)
  if stage.report.dropped:
    print(f"{stage.folder}: {stage.report}")
  pool.expect(folder, len(questions))
  size, batch = len(questions), config.engine.batch
  kept = size - len(pools.missing(stage, questions, batch))
  print(f"{size} questions x {config.samples} samples, {kept} done", flush=True)
  before = total = usage.load(folder)
  start = time.monotonic()
  with tqdm.tqdm(total=size, initial=kept, unit="question") as bar:
    for progress in pools.fill(
      stage, questions, sample, task, model.tokenizer, batch=batch
    ):
      seconds = time.monotonic() - start
      total = before.plus(progress.stats, seconds)
      total.save(folder)
      rate = progress.stats.generated / seconds
      bar.set_postfix_str(f"{rate:,.0f} tokens/s", refresh=False)
      bar.update()
  return total
