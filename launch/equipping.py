"""What answering questions needs: its models, its policy, its engines."""

import dataclasses
import pathlib
from typing import Any

import jax
import ml_collections

from launch import generation, judges, placing, revising, sizing
from tts_jax import storage
from tts_jax.scaling import policy_file
from tts_jax.solving import deciding, engines, solver
from tts_jax.tasks import base


def equip(
  config: ml_collections.ConfigDict,
  task: base.Task,
  budget: float,
  policy: str | None,
  *,
  many: bool,
  trace: bool,
) -> tuple[solver.Solver, list[pathlib.Path]]:
  """What solves, and the folders of what it is made of.

  Args:
    config: of the run.
    task: of its questions, each of which has the budget.
    budget: as of `solver.Solver`.
    policy: path of a policy; None: the default strategy.
    many: questions come together.
    trace: searches keep what a picture needs.

  Returns:
    The solver; and the folders of the model, its verifier and what else the
    policy needs: a revision model with its own, and last a difficulty head.
  """
  path = storage.at(policy or "")
  chosen = policy_file.load(path) if policy is not None else None
  deciding.check_budget(budget, chosen)
  model = generation.load_generator(config, task)
  judge = judges.load(config, model)
  models, folders = _models(model, judge, task), [model.folder, judge.folder]
  if chosen is not None:
    made, here = chosen.made_for, policy_file.made_for(*folders)
    own = ("tokenizer", "model", "verifier")
    # Another model is said before what else it needs is looked for.
    mine = {name: getattr(here, name) for name in own}
    policy_file.load(path, dataclasses.replace(made, **mine))
    if made.revision_model or deciding.needs_revisions(chosen, budget):
      key, given = "config.revision", config.revision
      mender = revising.load_reviser(config, task, given.model, f"{key}.model")
      other = judges.load_judge(given.verifier, mender, f"{key}.verifier")
      models = dataclasses.replace(models, reviser=_models(mender, other, task))
      folders += mender.folder, other.folder
    placer = None
    if made.difficulty_head or deciding.reads_prompts(chosen, budget):
      placer = placing.load(config, model)
    head = None if placer is None else placer.folder
    here = policy_file.made_for(*folders, difficulty_head=head)
    policy_file.load(path, here)
    if placer is not None:
      models = dataclasses.replace(
        models, head=placer.head, head_params=placer.params
      )
      folders.append(placer.folder)
  sizes = sizing.settings(config, trace=trace)
  made_of = engines.make(models, sizes if many else sizes.alone(), jax.jit)
  solving: Any = dict(task=task, budget=budget, policy=chosen)
  return solver.Solver(engines=made_of, **solving), folders


def _models(
  own: generation.Generator, judge: judges.AnyJudge, task: base.Task
) -> engines.Models:
  made: Any = dict(lm=own.lm, params=own.params, tokenizer=own.tokenizer)
  if isinstance(judge, judges.OutsideJudge):
    made["rule"] = own.tokenizer.delimiters(task.step_delimiter)
    return engines.Models(**made, verifier=judge.reads)
  made["rule"] = own.rule
  return engines.Models(
    **made, verifier=judge.verifier, verifier_params=judge.params
  )
