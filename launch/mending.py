"""What the experiment tells of revisions: chains run, scored and measured."""

import dataclasses
from typing import Any

import ml_collections

from launch import chaining, generation, judging, planning, revising
from tts_jax.decode import pools
from tts_jax.report import chain_page, chain_transcripts
from tts_jax.revise import state as states
from tts_jax.scaling import revision_summary, search_summary
from tts_jax.store import atomic, chains, pool, run
from tts_jax.tasks import base

PAGE = "chains.html"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reviser:
  """A revision model, its verifier, and the chains that are wanted of it."""

  model: generation.Generator
  judge: judging.Judge
  plan: states.Plan


def load(config: ml_collections.ConfigDict, task: base.Task) -> Reviser | None:
  """What the config's revisions need; None where no method asks for them."""
  lengths, wanted = planning.revision_lengths(config), config.revision
  if not lengths:
    return None
  plan, key = revising.plan(config, lengths), "config.revision"
  model = revising.load_reviser(config, task, wanted.model, f"{key}.model")
  judge = judging.load_judge(wanted.verifier, model, f"{key}.verifier")
  return Reviser(model=model, judge=judge, plan=plan)


def fill(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  judge: judging.Judge,
  reviser: Reviser,
  back: str,
) -> dict[str, Any]:
  """Runs and scores a run's chains, writes their page, returns what they say.

  Args:
    folder: of the run, which has its pool.
    config: of the run.
    task: its task.
    questions: its questions.
    model: the base model.
    judge: its verifier.
    reviser: writes the chains and judges them.
    back: the page that theirs links to.
  """
  own, loaded = reviser.judge, (task, questions, reviser.model)
  chaining.run_chains(folder, config, *loaded, reviser.plan)
  chaining.score(folder, config, "history", reviser.model, own)
  chaining.score(folder, config, "prm", model, judge)
  found = chains.load_chains(folder.path)
  scores = chains.load_scores(folder.path, found)
  text = chain_page.render(
    chain_transcripts.read(folder.path, found, scores["history"], questions),
    title=f"Chains of revisions on {task.name}",
    links={"report": back},
  )
  atomic.write_bytes(folder.path / PAGE, text.encode())
  return revision_summary.summarise(
    found,
    scores,
    pool.load_pool(folder.path).correct.mean(1),
    pools.prompt_lengths(questions, task, model.tokenizer),
    config.revision.budgets,
    search_summary.count_flops(reviser.model.lm.config, own.verifier.config),
    seed=config.seed,
  )
