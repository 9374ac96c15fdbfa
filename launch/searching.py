"""What launchers that search share: the engine and a sweep."""

import functools

import ml_collections
import tqdm

from launch import generation, judges, planning, searchers
from tts_jax.decode import pools
from tts_jax.search import sweep
from tts_jax.store import manifest, run, searches
from tts_jax.tasks import base
from tts_jax.verify import saved


def sweep_searches(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  judge: judges.AnyJudge,
) -> None:
  """Fills a run's searches, with a progress bar."""
  todo, batch = planning.cells(config), config.engine.batch
  inputs = {"pool": pools.inputs_hash(questions, model.folder)}
  inputs["verifier"] = saved.content_hash(judge.folder)
  if isinstance(judge, judges.OutsideJudge):
    inputs["format"] = judge.prm.format.name
  made_of = manifest.config_hash(inputs)
  stage = folder.stage(searches.STAGE, searches.SCHEMA, made_of)
  loaded = model, judge, config, task
  make = functools.cache(functools.partial(searchers.engine, *loaded))
  size = len(todo) * len(questions)
  kept = size - sweep.left(stage, todo, questions, batch)
  with tqdm.tqdm(total=size, initial=kept, unit="search") as bar:
    args = stage, todo, questions, make, task, model.tokenizer
    for progress in sweep.fill(*args, batch=batch):
      bar.set_description(str(progress.cell), refresh=False)
      busy = f"rows {progress.stats.utilisation:.0%} busy"
      bar.set_postfix_str(busy, refresh=False)
      bar.update()
