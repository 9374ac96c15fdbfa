"""What the experiment tells of compute-optimal policies, and their file."""

import pathlib
from typing import Any

import ml_collections

from launch import (
  exchanging,
  gathering,
  generation,
  judges,
  revisers,
  revision_report,
)
from tts_jax.scaling import (
  estimates,
  measurements,
  measuring,
  optimal_summary,
  policy_file,
  policy_making,
)
from tts_jax.store import run


def tell(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  model: generation.Generator,
  judge: judges.AnyJudge,
  reviser: revisers.Reviser | None,
  made: measurements.Measurements,
  count: measuring.Count,
  found: revision_report.Found | None,
  placed: tuple[pathlib.Path, estimates.Estimate] | None = None,
) -> dict[str, Any]:
  """Writes a run's policies; returns what its summary says of it.

  That is `difficulty`, `policy` and, with a larger model, `exchange`.

  The policies place questions by what a difficulty head says of them, `placed`
  with its folder, or else by the first few samples: what other estimates read,
  a new question does not have.
  """
  questions, samples = made.samples.correct.shape
  absent = optimal_summary.obstacle(questions, samples, made.few)
  if absent:
    return {"difficulty": {"absent": absent}, "policy": {"absent": absent}}
  head, given = (None, []) if placed is None else (placed[0], [placed[1]])
  revised = gathering.revised(folder, found, made, count)
  evidence = optimal_summary.gather(made, count, revised=revised, given=given)
  budgets, seed = list(made.budgets), config.seed
  folders = [model.folder, judge.folder]
  if reviser is not None:
    folders += [reviser.model.folder, reviser.judge.folder]
  here = policy_file.made_for(*folders, difficulty_head=head)
  policies = policy_making.files(evidence, here, budgets, seed=seed)
  for name, policy in policies.items():
    policy_file.write(folder.path / name, policy)
  return optimal_summary.summarise(
    evidence, made.samples.correct, budgets, seed=seed
  ) | exchanging.tell(config, evidence, made.samples.question_ids, budgets)
