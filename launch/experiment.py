"""A whole experiment: pool, scores, searches, and what is told of them.

The folder of the run gets summary.json, report.html and, where a verifier
searched, trees.html and policy.json.
"""

import ml_collections

from launch import (
  estimating,
  exchanging,
  findings,
  generation,
  judging,
  mending,
  placing,
  planning,
  pooling,
  reporting,
  revisers,
  revision_report,
  searching,
  trees,
)
from tts_jax.scaling import claims, run_summary, verifier_summary
from tts_jax.scaling import summary as summary_lib
from tts_jax.store import pool, run
from tts_jax.tasks import base
from tts_jax.verify import embedded


def check(
  config: ml_collections.ConfigDict,
) -> tuple[base.Task, list[base.Question]]:
  """Refuses what a run cannot be made of; its models are not looked at.

  Returns:
    The task, and the questions that the config asks for.

  Raises:
    InputError: a value is out of its range; questions, or what is to be
      compared with, are missing.
  """
  task, questions = pooling.find_questions(config)
  summary_lib.check(len(questions), config.samples, config.seed)
  planning.cells(config)
  planning.tree(config)
  exchanging.check(config, questions)
  return task, questions


def perform(config: ml_collections.ConfigDict, out: str) -> None:
  """Fills the run's folder, writes its pages and prints its first numbers."""
  task, questions = check(config)
  print(estimating.line(config, len(questions)), flush=True)
  model, judge = generation.load_generator(config, task), None
  if config.verifier != embedded.NONE:
    judge = judging.load_judge(config.verifier, model)
  reviser = None if judge is None else revisers.load(config, task)
  placer = None if judge is None else placing.load(config, model)
  loaded, seed = (task, questions, model), config.seed
  links = {"search trees": trees.PAGE} if judge else {}
  links |= {"chains of revisions": revision_report.PAGE} if reviser else {}
  with run.Run.open(out, config.to_dict()) as folder:
    usage = pooling.sample_pool(folder, config, *loaded)
    if judge is not None:
      judging.score_pool(folder, config, *loaded, judge)
      searching.sweep_searches(folder, config, *loaded, judge)
      if reviser is not None:
        mending.fill(folder, config, *loaded, judge, reviser)
    samples = pool.load_pool(folder.path)
    summary = run_summary.of_pool(samples, questions, usage, seed=seed)
    summary["config_hash"] = folder.config_hash
    if judge is not None:
      made = judge, reviser, placer
      summary |= findings.tell(folder, config, *loaded, *made)
      trees.write(folder, config, *loaded, judge, samples, reporting.PAGE)
    summary["claims"] = claims.judge(summary)
    folder.write_json("summary.json", summary)
    reporting.write(
      folder, config, task, questions, samples, summary, usage, links
    )
  print(summary_lib.headline(summary))
  if judge is not None:
    both = {**summary["verifier"], "curves": summary["curves"]}
    print(verifier_summary.headline(both))
  print(folder.path / reporting.PAGE)
