"""The part of the experiment that revises: its stages."""

import functools
from typing import Any

import jax
import ml_collections

from launch import (
  chain_judging,
  chaining,
  finals,
  generation,
  judges,
  planning,
  revisers,
)
from tts_jax.store import chains, run, searches
from tts_jax.tasks import base


def fill(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  judge: judges.Judge,
  reviser: revisers.Reviser,
) -> None:
  """Fills chains, revisions of what a search found, and the scores of both.

  Args:
    folder: of the run, which has its searches.
    config: of the run.
    task: its task.
    questions: its questions.
    model: the base model.
    judge: its verifier.
    reviser: writes the chains and judges them.
  """
  own, loaded = reviser.judge, (task, questions, reviser.model)
  score = functools.partial(chain_judging.score, folder, config)
  # Not the draws of the pool, which places questions in their bins, nor those
  # of a search, which folds in numbers from 1.
  key = jax.random.fold_in(jax.random.key(config.seed), 0)
  chaining.run_chains(folder, config, *loaded, reviser.plan, key)
  score(reviser.model, own, stage=chains.SCORES[own.kind])
  score(model, judge, stage=chains.SCORES["prm"])
  if (other := reviser.other) is not None:
    score(reviser.model, other, stage=chains.SCORES[other.kind])
  budgets = planning.revised_budgets(config)
  if budgets:
    found = searches.finals(folder.path, planning.REVISED, budgets)
    finals.revise(folder, config, *loaded, found, key)
    of_search: Any = dict(stage=chains.SCORES_OF_SEARCH, of=chains.OF_SEARCH)
    score(reviser.model, own, **of_search)
