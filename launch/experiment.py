"""A whole experiment: pool, scores, searches, and what is told of them."""

import ml_collections

from launch import (
  drawing,
  estimating,
  exchanging,
  findings,
  planning,
  pooling,
  reporting,
  revision_report,
  shared_run,
  shipping,
  trees,
)
from tts_jax.scaling import claims, run_summary, verifier_summary
from tts_jax.scaling import summary as summary_lib
from tts_jax.store import packed, pool, provenance
from tts_jax.tasks import base


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


def perform(
  config: ml_collections.ConfigDict,
  out: str,
  shipped: packed.Packed | None = None,
  *note: str,
) -> None:
  """Fills the run's folder, writes its pages, prints its first numbers.

  Args:
    config: of the run.
    out: its folder.
    shipped: a run of this config, whose stages are not drawn again.
    note: what is said of that.
  """
  task, questions = check(config)
  estimating.begin(config, out, len(questions), shipped)
  print(*note, flush=True, end="\n" * len(note))
  made, seed = drawing.load(config, task), config.seed
  judge, reviser = made.judge, made.reviser
  loaded = (task, questions, made.model)
  links = {"search trees": trees.PAGE} if judge else {}
  links |= {"chains of revisions": revision_report.PAGE} if reviser else {}
  with shared_run.opened(out, config.to_dict()) as folder:
    if shipped is not None:
      shipping.use(shipped, folder, questions, made)
    usage = drawing.fill(folder, config, task, questions, made)
    samples = pool.load_pool(folder.path)
    summary = run_summary.of_pool(samples, questions, usage, seed=seed)
    summary["config_hash"] = folder.config_hash
    summary["shipped"] = shipping.told(shipped)
    # What was drawn may be of an earlier one, which `commit` is.
    summary["measured_commit"] = provenance.commit()
    if judge is not None:
      summary |= findings.tell(
        folder, config, *loaded, judge, reviser, made.placer
      )
      trees.write(folder, config, *loaded, judge, samples, reporting.PAGE)
    summary["claims"] = claims.judge(summary)
    folder.write_json("summary.json", summary)
    reporting.write(
      folder, config, task, questions, samples, summary, usage, links
    )
  print(summary_lib.headline(summary))
  if judge is not None:
    told = {**summary["verifier"], "curves": summary["curves"]}
    print(verifier_summary.headline(told))
  print(folder.path / reporting.PAGE)
