"""Filling a run's chains of revisions and their scores."""

import functools
import time

import ml_collections
import tqdm

from launch import generation, judging, revising
from tts_jax.decode import pools
from tts_jax.revise import rows
from tts_jax.revise import state as states
from tts_jax.store import chains, run, shards
from tts_jax.tasks import base
from tts_jax.verify import chain_scores, histories


def run_chains(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  plan: states.Plan,
) -> None:
  """Fills a run's chains, with a progress bar."""
  inputs = pools.inputs_hash(questions, model.folder)
  stage = folder.stage(chains.STAGE, chains.SCHEMA, inputs)
  print(f"{stage.folder}: {stage.report}", flush=True)
  size, batch = len(questions), config.engine.batch
  kept = size - len(pools.missing(stage, questions, batch))
  sample, start = revising.engine(model, config, plan), time.monotonic()
  with tqdm.tqdm(total=size, initial=kept, unit="question") as bar:
    for progress in pools.fill(
      stage,
      questions,
      sample,
      task,
      model.tokenizer,
      batch=batch,
      table=functools.partial(rows.table, plan=plan),
    ):
      rate = progress.stats.generated / (time.monotonic() - start)
      busy = progress.stats.utilisation
      bar.set_postfix_str(f"{rate:,.0f} tokens/s, rows {busy:.0%}", False)
      bar.update()


def score(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  name: str,
  model: generation.Generator,
  judge: judging.Judge,
) -> None:
  """Fills the scores `name` of a run's chains, with a progress bar."""
  stage = chain_scores.open_stage(folder, name, judge.folder)
  drawn = shards.read(folder.path / chains.STAGE, histories.COLUMNS)
  size, batch = len(set(drawn["question_id"].to_pylist())), config.engine.batch
  with tqdm.tqdm(total=size, unit="question", desc=f"scores, {name}") as bar:
    for left in chain_scores.fill(
      stage,
      drawn,
      judging.scorer(config, model, judge),
      history=name == "history",
      batch=batch,
    ):
      bar.update(size - left - bar.n)
    bar.update(size - bar.n)
