"""What the experiment tells of revisions: a page of chains, and numbers."""

from typing import Any

import ml_collections

from launch import generation, mending, planning
from tts_jax.decode import pools
from tts_jax.model import embedded, huggingface_config
from tts_jax.report import chain_page, chain_transcripts
from tts_jax.scaling import revision_summary, search_summary
from tts_jax.store import atomic, chains, pool, run
from tts_jax.tasks import base

PAGE = "chains.html"


def tell(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  reviser: mending.Reviser,
  *,
  back: str,
) -> dict[str, Any]:
  """Writes the page of a run's chains, and returns what they say.

  Args:
    folder: of the run, with all that `mending.fill` puts there.
    config: of the run.
    task: its task.
    questions: its questions.
    model: the base model.
    reviser: wrote the chains and judged them.
    back: the page that theirs links to.
  """
  found = chains.load_chains(folder.path)
  scores = chains.load_all_scores(folder.path, found)
  text = chain_page.render(
    chain_transcripts.read(folder.path, found, scores["history"], questions),
    title=f"Chains of revisions on {task.name}",
    links={"report": back},
  )
  atomic.write_bytes(folder.path / PAGE, text.encode())
  shapes = reviser.model.lm.config, reviser.judge.verifier.config
  others = reviser.model.folder / embedded.MODELS
  told = huggingface_config.read_json(others) if others.exists() else {}
  rest_em = {"rest_em": told["rest_em"]} if "rest_em" in told else {}
  return rest_em | revision_summary.summarise(
    found,
    scores,
    pool.load_pool(folder.path).correct.mean(1),
    pools.prompt_lengths(questions, task, model.tokenizer),
    config.revision.budgets,
    search_summary.count_flops(*shapes),
    combined=revision_summary.combined(
      folder.path, planning.revised_budgets(config), seed=config.seed
    ),
    seed=config.seed,
  )
