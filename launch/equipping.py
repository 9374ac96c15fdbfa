"""What answering questions needs: its models, its policy, its engines."""

import dataclasses
import pathlib
from typing import Any

import jax
import ml_collections

from launch import generation, judging, revising
from tts_jax.decode import sampling
from tts_jax.scaling import policy_file
from tts_jax.solving import deciding, engines, solver
from tts_jax.tasks import base

_REVISION = ("window", "context_tokens", "rebuilt")


def equip(
  config: ml_collections.ConfigDict,
  task: base.Task,
  budget: float,
  policy: str | None,
  *,
  many: bool,
  trace: bool,
) -> tuple[solver.Solver, list[pathlib.Path]]:
  """What solves, and the folders of its models, a verifier after each.

  Args:
    config: of the run.
    task: of its questions, each of which has the budget.
    budget: as of `solver.Solver`.
    policy: path of a policy; None: the default strategy.
    many: questions come together.
    trace: searches keep what a picture needs.
  """
  path = pathlib.Path(policy or "")
  chosen = policy_file.load(path) if policy is not None else None
  deciding.check_budget(budget, chosen)
  model = generation.load_generator(config, task)
  judge = judging.load_judge(config.verifier, model)
  models, folders = _models(model, judge), [model.folder, judge.folder]
  if chosen is not None:
    made, here = chosen.made_for, policy_file.made_for(*folders)
    # Another model is said before a revision model is looked for.
    own = dataclasses.replace(
      here,
      revision_model=made.revision_model,
      revision_verifier=made.revision_verifier,
    )
    policy_file.load(path, own)
    if made.revision_model or deciding.needs_revisions(chosen, budget):
      key, given = "config.revision", config.revision
      mender = revising.load_reviser(config, task, given.model, f"{key}.model")
      other = judging.load_judge(given.verifier, mender, f"{key}.verifier")
      models = dataclasses.replace(models, reviser=_models(mender, other))
      folders += mender.folder, other.folder
    policy_file.load(path, policy_file.made_for(*folders))
  sizes = _settings(config, trace)
  made_of = engines.make(models, sizes if many else sizes.alone(), jax.jit)
  solving: Any = dict(task=task, budget=budget, policy=chosen)
  return solver.Solver(engines=made_of, **solving), folders


def _models(own: generation.Generator, judge: judging.Judge) -> engines.Models:
  made: Any = dict(lm=own.lm, params=own.params, tokenizer=own.tokenizer)
  return engines.Models(
    **made, verifier=judge.verifier, verifier_params=judge.params
  )


def _settings(
  config: ml_collections.ConfigDict, trace: bool
) -> engines.Settings:
  return engines.Settings(
    seed=config.seed,
    sampler=sampling.make(**config.sampler),
    **config.limits,
    **{name: config.engine[name] for name in ("groups", "rows", "steps")},
    search_rows=config.search.rows,
    search_steps=config.search.steps,
    step_tokens=config.search.step_tokens or None,
    scoring_rows=config.scoring.rows,
    scoring_length=config.scoring.length,
    trace=trace,
    **{name: config.revision[name] for name in _REVISION},
  )
