"""What launchers that search share: the engine and a sweep."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import ml_collections
import tqdm

from launch import generation, judging, planning
from tts_jax.decode import pools, sampling
from tts_jax.search import engine as search_engine
from tts_jax.search import setup, strategies, sweep
from tts_jax.store import manifest, run, searches
from tts_jax.tasks import base
from tts_jax.verify import saved


def engine(
  model: generation.Generator,
  judge: judging.Judge,
  config: ml_collections.ConfigDict,
  strategy: strategies.Strategy,
  *,
  trace: bool = False,
) -> Callable[[int], Callable[..., Any]]:
  """A search, compiled once: from a seed to a stream of requests."""
  one = setup.Setup(
    lm=model.lm,
    verifier=judge.verifier,
    strategy=strategy,
    sampler=sampling.make(**config.sampler),
    limits=model.limits(config.limits.max_tokens),
    delimiters=model.rule or frozenset(judge.verifier.config.delimiters),
    step_tokens=config.search.step_tokens or None,
    trace=trace,
  )
  begin = search_engine.make(
    setup.Weights(lm=model.params, verifier=judge.params),
    one,
    rows=config.search.rows,
    prompt_tokens=config.limits.prompt_tokens,
    steps=config.search.steps,
    compiler=jax.jit,
  )
  # Not the draws of the pool, which places questions in their bins.
  key = jax.random.key(config.seed)
  return lambda seed: begin(jax.random.fold_in(key, 1 + seed))


def sweep_searches(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  judge: judging.Judge,
) -> None:
  """Fills a run's searches, with a progress bar."""
  todo, batch = planning.cells(config), config.engine.batch
  inputs = {"pool": pools.inputs_hash(questions, model.folder)}
  inputs["verifier"] = saved.content_hash(judge.folder)
  made_of = manifest.config_hash(inputs)
  stage = folder.stage(searches.STAGE, searches.SCHEMA, made_of)
  make = functools.cache(functools.partial(engine, model, judge, config))
  size = len(todo) * len(questions)
  kept = size - sweep.left(stage, todo, questions, batch)
  with tqdm.tqdm(total=size, initial=kept, unit="search") as bar:
    args = stage, todo, questions, make, task, model.tokenizer
    for progress in sweep.fill(*args, batch=batch):
      bar.set_description(str(progress.cell), refresh=False)
      busy = f"rows {progress.stats.utilisation:.0%} busy"
      bar.set_postfix_str(busy, refresh=False)
      bar.update()
