"""What an experiment with a verifier found: its part of summary.json."""

from typing import Any

import ml_collections

from launch import (
  generation,
  judges,
  placing,
  policies,
  reporting,
  revisers,
  revision_report,
)
from tts_jax.decode import pools
from tts_jax.scaling import run_summary, scored_pool, search_summary
from tts_jax.store import run
from tts_jax.tasks import base, catalogue
from tts_jax.verify import saved


def tell(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  judge: judges.AnyJudge,
  reviser: revisers.Reviser | None,
  placer: placing.Placer | None,
) -> dict[str, Any]:
  """Measures what the run's folder holds; writes the policy and chains' page.

  Args:
    folder: of the run, with its scored pool, searches and chains.
    config: of the run.
    task: its task.
    questions: its questions.
    model: the base model.
    judge: its verifier.
    reviser: wrote the chains; None: there are none.
    placer: places questions by their prompts; None: there is none.

  Returns:
    What `run_summary.of_searches` has, `difficulty`, `policy`, with chains
    `revisions`, and with a larger model `exchange`.
  """
  seed, scored = config.seed, scored_pool.load(folder.path)
  prompts = pools.prompt_lengths(questions, task, model.tokenizer)
  made = run_summary.measure(folder.path, scored, prompts, seed=seed)
  count = search_summary.count_flops(model.lm.config, judge.network)
  found = None
  if reviser is not None:
    found = revision_report.load(folder, config, reviser)
  summary = run_summary.of_searches(
    folder.path,
    questions,
    scored,
    made,
    count,
    catalogue.step_judge(task.name),
    chains=found.chains if found else None,
    seed=seed,
  )
  summary["verifier"]["regimes"] = saved.regimes(judge.folder)
  if reviser is not None and found is not None:
    summary["revisions"] = revision_report.tell(
      folder,
      config,
      task,
      questions,
      reviser,
      found,
      made,
      back=reporting.PAGE,
    )
  placed = None
  if placer is not None:
    given = placing.estimate(config, task, questions, model, placer)
    placed = placer.folder, given
  return summary | policies.tell(
    folder, config, model, judge, reviser, made, count, found, placed
  )
