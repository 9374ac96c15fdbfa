"""What launchers that search share: the engine and a sweep."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import ml_collections
import tqdm

from launch import generation, judging, planning
from tts_jax.decode import pools, sampling
from tts_jax.search import loop, setup, state, strategies, stream, sweep
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
    sampler=sampling.Categorical(**config.sampler),
    limits=model.limits(config.limits.max_tokens),
    delimiters=frozenset(judge.verifier.config.delimiters),
    step_tokens=config.search.step_tokens or None,
    trace=trace,
  )
  weights = setup.Weights(lm=model.params, verifier=judge.params)
  room = config.limits.prompt_tokens
  jit = functools.partial(jax.jit, donate_argnums=1)
  admit = jit(functools.partial(state.admit, setup=one))
  step = functools.partial(loop.search_chunk, steps=config.search.steps)
  chunk = jit(functools.partial(step, setup=one))
  collect = jax.jit(functools.partial(stream.collect_group, setup=one))

  def begin(seed: int) -> Callable[..., Any]:
    groups = max(1, config.search.rows // strategy.rounds.n)
    empty = state.init_state(
      weights, setup=one, groups=groups, prompt_tokens=room
    )
    # Not the draws of the pool, which places questions in their bins.
    key = jax.random.fold_in(jax.random.key(config.seed), 1 + seed)
    compiled: Any = dict(admit=admit, chunk=chunk, collect=collect)
    return functools.partial(
      stream.stream, weights, empty, key=key, prompt_tokens=room, **compiled
    )

  return begin


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
