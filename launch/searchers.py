"""The engines of searches, by verifiers inside of the loop and outside."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import ml_collections

from launch import generation, judges
from tts_jax.decode import sampling
from tts_jax.search import engine as search_engine
from tts_jax.search import outside, setup, strategies
from tts_jax.tasks import base


def plan(
  model: generation.Generator,
  judge: judges.AnyJudge,
  config: ml_collections.ConfigDict,
  task: base.Task,
  strategy: strategies.Strategy,
  *,
  trace: bool = False,
) -> setup.Setup:
  """A search as the loop takes it."""
  if isinstance(judge, judges.OutsideJudge):
    verifier: Any = outside.Unread()
    delimiters = model.tokenizer.delimiters(task.step_delimiter)
  else:
    verifier = judge.verifier
    delimiters = model.rule or frozenset(verifier.config.delimiters)
  return setup.Setup(
    lm=model.lm,
    verifier=verifier,
    strategy=strategy,
    sampler=sampling.make(**config.sampler),
    limits=model.limits(config.limits.max_tokens),
    delimiters=delimiters,
    step_tokens=config.search.step_tokens or None,
    trace=trace,
  )


def engine(
  model: generation.Generator,
  judge: judges.AnyJudge,
  config: ml_collections.ConfigDict,
  task: base.Task,
  strategy: strategies.Strategy,
  *,
  trace: bool = False,
) -> Callable[[int], Callable[..., Any]]:
  """A search, compiled once: from a seed to a stream of requests."""
  one = plan(model, judge, config, task, strategy, trace=trace)
  sizes: Any = dict(
    rows=config.search.rows,
    prompt_tokens=config.limits.prompt_tokens,
    steps=config.search.steps,
    compiler=jax.jit,
  )
  if isinstance(judge, judges.OutsideJudge):
    reader = functools.partial(judge.reader, rows=one.rounds.n)
    begin = outside.make(
      model.params,
      one,
      reader,
      decode=model.tokenizer.decode,
      **sizes,
    )
  else:
    weights = setup.Weights(lm=model.params, verifier=judge.params)
    begin = search_engine.make(weights, one, **sizes)
  # Not the draws of the pool, which places questions in their bins.
  key = jax.random.key(config.seed)
  return lambda seed: begin(jax.random.fold_in(key, 1 + seed))
