"""What the experiment tells of revisions: a page of chains, and numbers."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import ml_collections
import numpy as np

from launch import planning, revisers
from tts_jax.report import chain_page, chain_transcripts
from tts_jax.scaling import (
  chain_flops,
  estimates,
  measurements,
  revision_summary,
)
from tts_jax.store import atomic, chains, run
from tts_jax.tasks import base

PAGE = "chains.html"


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Found:
  """A run's chains, their scores, and what those named `by` choose."""

  chains: chains.Chains
  scores: Mapping[str, np.ndarray]
  by: str
  chosen: revision_summary.Cells
  combined: Mapping[int, np.ndarray]
  count: chain_flops.Count


def load(
  folder: run.Run, config: ml_collections.ConfigDict, reviser: revisers.Reviser
) -> Found:
  """All that `mending.fill` put into a run's folder."""
  found = chains.load_chains(folder.path)
  scores = chains.load_all_scores(folder.path, found)
  budgets, seed = planning.revised_budgets(config), config.seed
  by = reviser.judge.kind
  value = revision_summary.by_verifier(found, scores[by], seed=seed)
  return Found(
    chains=found,
    scores=scores,
    by=by,
    chosen=revision_summary.cells(config.revision.budgets, value),
    combined=revision_summary.combined(folder.path, budgets, seed=seed),
    count=chain_flops.counter(reviser.model.lm.config, reviser.judge.verifier),
  )


def tell(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  reviser: revisers.Reviser,
  found: Found,
  made: measurements.Measurements,
  *,
  back: str,
) -> dict[str, Any]:
  """Writes the page of a run's chains, linked `back`; returns what they say."""
  mine = found.chains, found.scores[found.by]
  page = chain_transcripts.read(folder.path, *mine, questions)
  title = f"Chains of revisions on {task.name}"
  text = chain_page.render(page, title=title, links={"report": back})
  atomic.write_bytes(folder.path / PAGE, text.encode())
  return reviser.rest_em() | revision_summary.summarise(
    found.chains,
    found.scores,
    made.samples.correct.mean(1),
    made.samples.prompt_length,
    config.revision.budgets,
    found.count,
    by=found.by,
    combined=found.combined,
    chosen=found.chosen,
    predicted=estimates.answer_score(made.samples).mean(1),
    seed=config.seed,
  )
