"""The part of the experiment that revises: what it needs, and its stages."""

import dataclasses
import functools
from typing import Any

import jax
import ml_collections

from launch import (
  chain_judging,
  chaining,
  finals,
  generation,
  judging,
  planning,
  revising,
)
from tts_jax.revise import state as states
from tts_jax.store import chains, run, searches
from tts_jax.tasks import base
from tts_jax.verify import embedded


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reviser:
  """A revision model, its verifiers, and the chains that are wanted of it."""

  model: generation.Generator
  judge: judging.Judge
  alone: judging.Judge | None
  plan: states.Plan


def load(config: ml_collections.ConfigDict, task: base.Task) -> Reviser | None:
  """What the config's revisions need; None where no method asks for them."""
  lengths, wanted = planning.revision_lengths(config), config.revision
  if not lengths:
    return None
  plan, key = revising.plan(config, lengths), "config.revision"
  model = revising.load_reviser(config, task, wanted.model, f"{key}.model")
  judge = judging.load_judge(wanted.verifier, model, f"{key}.verifier")
  alone = None
  if wanted.alone != "none":
    path = wanted.alone or (embedded.ALONE if not wanted.model else "")
    alone = judging.load_judge(str(path), model, f"{key}.alone")
  return Reviser(model=model, judge=judge, alone=alone, plan=plan)


def fill(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  judge: judging.Judge,
  reviser: Reviser,
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
  score(reviser.model, own, stage=chains.SCORES["history"])
  alone: dict[str, Any] = dict(history=False)
  score(model, judge, stage=chains.SCORES["prm"], **alone)
  if reviser.alone is not None:
    stage = chains.SCORES["alone"]
    score(reviser.model, reviser.alone, stage=stage, **alone)
  budgets = planning.revised_budgets(config)
  if budgets:
    found = searches.finals(folder.path, planning.REVISED, budgets)
    finals.revise(folder, config, *loaded, found, key)
    of_search: Any = dict(stage=chains.SCORES_OF_SEARCH, of=chains.OF_SEARCH)
    score(reviser.model, own, **of_search)
