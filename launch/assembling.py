"""Filling a run's trajectories, of samples or of chains."""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import ml_collections
import tqdm

from launch import generation, pooling
from tts_jax import errors, json_input
from tts_jax.revise import own, trajectories
from tts_jax.store import chains, pool, run, shards
from tts_jax.verify import histories, saved


def from_pool(
  folder: run.Run, config: ml_collections.ConfigDict, source: pathlib.Path
) -> dict[str, Any]:
  """Trajectories of a pool's samples, drawn first where none is given.

  Args:
    folder: of the run that is built.
    config: of it.
    source: folder of the run that has the samples.

  Returns:
    What the samples offered.
  """
  task, questions = pooling.find_training(config)
  model = generation.load_generator(config, task)
  if not config.source:
    pooling.sample_pool(folder, config, task, questions, model)
  stage = trajectories.open_stage(folder, source / pool.STAGE)
  drawn = shards.read(source / pool.STAGE, trajectories.POOL_COLUMNS)
  limits: Any = dict(most=config.most, room=config.room or None)
  built = trajectories.fill(
    stage,
    questions,
    drawn,
    task,
    model.tokenizer,
    batch=config.engine.batch,
    seed=config.seed,
    **limits,
    natural=config.natural,
  )
  _follow(stage, built)
  found = trajectories.count(trajectories.by_question(drawn), **limits)
  return {**found, "origin": dataclasses.asdict(saved.origin(model.folder))}


def from_chains(
  folder: run.Run, config: ml_collections.ConfigDict, source: pathlib.Path
) -> dict[str, Any]:
  """A model's own chains as trajectories; arguments as of `from_pool`.

  Raises:
    InputError: `natural` is a share of them, which is for samples alone.
  """
  if config.natural not in (0, 1):
    raise errors.InputError(
      f"natural is {config.natural}; of chains it must be 1, which takes them"
      " up to their last right answer, or 0, up to their first (ReST^EM)"
    )
  made = json_input.read_object(source / chains.SUMMARY)
  stage = trajectories.open_stage(folder, source / chains.STAGE)
  drawn = shards.read(source / chains.STAGE, histories.COLUMNS)
  limits: Any = dict(natural=bool(config.natural))
  sizes: Any = dict(batch=config.engine.batch, seed=config.seed)
  _follow(stage, own.fill(stage, drawn, **sizes, **limits))
  return {**own.count(drawn, **limits), "origin": made["origin"]}


def _follow(stage: shards.Stage, built: Iterator[int]) -> None:
  """Builds to the end, with a progress bar."""
  print(f"{stage.folder}: {stage.report}", flush=True)
  with tqdm.tqdm(unit="question") as bar:
    for left in built:
      bar.total = bar.total or left
      bar.update(bar.total - left - bar.n)
