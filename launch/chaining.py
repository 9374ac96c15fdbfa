"""Filling a run's chains of revisions."""

import functools
import time
from collections.abc import Callable
from typing import Any

import chex
import ml_collections
import tqdm

from launch import generation, revising
from tts_jax.decode import pools
from tts_jax.revise import rows
from tts_jax.revise import state as states
from tts_jax.store import chains, pool, run, shards
from tts_jax.tasks import base


def run_chains(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  plan: states.Plan,
  key: chex.PRNGKey | None = None,
) -> None:
  """Fills a run's chains, with a progress bar; `key` as of `engine`."""
  inputs = pools.inputs_hash(questions, model.folder)
  stage = folder.stage(chains.STAGE, chains.SCHEMA, inputs)
  pool.expect(folder, len(questions))
  sample = revising.engine(model, config, plan, key)
  follow(stage, config, questions, sample, task, model, plan)


def follow(
  stage: shards.Stage,
  config: ml_collections.ConfigDict,
  questions: list[base.Question],
  sample: Callable[..., Any],
  task: base.Task,
  model: generation.Generator,
  plan: states.Plan,
  **settings: Any,
) -> None:
  """Fills a stage of chains, with a progress bar."""
  print(f"{stage.folder}: {stage.report}", flush=True)
  size, batch = len(questions), config.engine.batch
  kept = size - len(pools.missing(stage, questions, batch))
  table = functools.partial(rows.table, plan=plan, **settings)
  filled = pools.fill(
    *(stage, questions, sample, task, model.tokenizer),
    batch=batch,
    table=table,
  )
  start = time.monotonic()
  with tqdm.tqdm(total=size, initial=kept, unit="question") as bar:
    for progress in filled:
      rate = progress.stats.generated / (time.monotonic() - start)
      busy = progress.stats.utilisation
      bar.set_postfix_str(f"{rate:,.0f} tokens/s, rows {busy:.0%}", False)
      bar.update()
