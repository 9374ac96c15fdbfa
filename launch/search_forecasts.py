"""What searching and revising take, by a config: parts of an outlook."""

from collections.abc import Sequence

import ml_collections

from launch import costing, forecasts, outlook, progress
from tts_jax.model import embedded as models
from tts_jax.search import sweep
from tts_jax.store import chains, searches

# Seconds of an answer of a chain of five, on two CPU cores.
_SHORT = 0.0075


def searching(
  config: ml_collections.ConfigDict,
  out: str,
  questions: int,
  cells: Sequence[sweep.Cell],
) -> outlook.Part:
  """Of all questions, by each cell."""
  limits, generations = config.limits, sum(cell.budget for cell in cells)
  shards = len(cells) * forecasts.shards(config, questions)
  prompts = len(cells) * limits.prompt_tokens
  return costing.part(
    config,
    "searches",
    f"{len(cells)} x {questions} questions, {generations} generations of each",
    questions * (prompts + generations * limits.max_tokens),
    (costing.generator(config), costing.verifier(config)),
    seconds=costing.GENERATION * generations * questions,
    done=progress.done(out, searches.STAGE, shards),
  )


def revising(
  config: ml_collections.ConfigDict,
  out: str,
  questions: int,
  answers: int,
  path: str,
  *,
  rate: float = _SHORT,
) -> outlook.Part:
  """Of so many answers of each question, whose contexts are read anew.

  Args:
    config: of the run.
    out: its folder.
    questions: how many.
    answers: of each.
    path: of the revision model.
    rate: seconds of an answer.
  """
  limits, context = config.limits, config.revision.context_tokens
  each = limits.prompt_tokens + context + limits.max_tokens
  return costing.part(
    config,
    "revisions",
    f"{questions} questions x {answers} answers",
    questions * answers * each,
    (costing.generator(config, path, models.REVISION),),
    seconds=rate * answers * questions,
    done=progress.done(out, chains.STAGE, forecasts.shards(config, questions)),
    context=context,
  )
