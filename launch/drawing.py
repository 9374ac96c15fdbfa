"""The part of the experiment that draws: its models, and its stages."""

import dataclasses

import ml_collections

from launch import (
  generation,
  judges,
  judging,
  mending,
  placing,
  pooling,
  revisers,
  searching,
)
from tts_jax import errors
from tts_jax.decode import usage
from tts_jax.store import run
from tts_jax.tasks import base
from tts_jax.verify import embedded


@dataclasses.dataclass(frozen=True, kw_only=True)
class Models:
  """All that an experiment draws with, on the device.

  Without a judge there is neither a reviser nor a placer.
  """

  model: generation.Generator
  judge: judges.AnyJudge | None
  reviser: revisers.Reviser | None
  placer: placing.Placer | None


def load(config: ml_collections.ConfigDict, task: base.Task) -> Models:
  """What the config asks for, each checked against what it goes with."""
  model = generation.load_generator(config, task)
  if config.verifier == embedded.NONE:
    return Models(model=model, judge=None, reviser=None, placer=None)
  judge = judges.load(config, model)
  reviser = revisers.load(config, task)
  if reviser is not None and isinstance(judge, judges.OutsideJudge):
    raise errors.InputError(
      "config.search.methods has revisions, which a published verifier does not"
      " score; leave them out, or config.prm.format empty"
    )
  return Models(
    model=model,
    judge=judge,
    reviser=reviser,
    placer=placing.load(config, model),
  )


def fill(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  made: Models,
) -> usage.Usage:
  """Fills a run's pool, its scores, searches and chains, as far as there are.

  Returns:
    What the pool cost.
  """
  loaded = task, questions, made.model
  spent = pooling.sample_pool(folder, config, *loaded)
  if made.judge is not None:
    judging.score_pool(folder, config, *loaded, made.judge)
    searching.sweep_searches(folder, config, *loaded, made.judge)
    if made.reviser is not None and isinstance(made.judge, judges.Judge):
      mending.fill(folder, config, *loaded, made.judge, made.reviser)
  return spent
