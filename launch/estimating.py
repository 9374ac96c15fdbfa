"""What an experiment takes, said before it begins."""

import dataclasses

import ml_collections

from launch import (
  costing,
  forecasts,
  outlook,
  planning,
  search_forecasts,
  shipping,
)
from tts_jax.store import packed
from tts_jax.verify import embedded

# Seconds of what is told of it all, and of each question of it.
_TELLING, _TOLD = 30.0, 0.2


def begin(
  config: ml_collections.ConfigDict,
  out: str,
  questions: int,
  shipped: packed.Packed | None = None,
  *before: outlook.Part,
) -> None:
  """As `outlook.begin`; arguments as of `parts`, and what else comes before."""
  mine = parts(config, out, questions, shipped)
  outlook.begin(out, *before, *mine, config=config)


def parts(
  config: ml_collections.ConfigDict,
  out: str,
  questions: int,
  shipped: packed.Packed | None = None,
) -> list[outlook.Part]:
  """Those of an experiment.

  Args:
    config: of the run.
    out: its folder.
    questions: how many there are.
    shipped: what is not drawn again.

  Returns:
    Samples, scores, searches, revisions, as far as there are, and figures.
  """
  made, given = [forecasts.samples(config, out, questions)], (out, questions)
  if config.verifier != embedded.NONE:
    made.append(forecasts.scoring(config, *given))
    answers = sum(planning.revision_lengths(config))
    if answers:
      answers += sum(planning.revised_budgets(config))
      path, rate = config.revision.model, costing.ANSWER
      size = *given, answers, path
      made.append(search_forecasts.revising(config, *size, rate=rate))
  if shipped is not None:
    made = [dataclasses.replace(part, done=1.0) for part in made]
  if config.verifier != embedded.NONE:
    cells = planning.cells(config)
    if shipped is not None:
      cells = [cell for cell in cells if cell.budget <= shipping.LIVE]
    made.insert(2, search_forecasts.searching(config, *given, cells))
  seconds, basis = _TELLING + _TOLD * questions, costing.BASIS
  told = outlook.Part(
    name="figures",
    size=f"of {questions} questions",
    seconds=seconds,
    basis=basis,
  )
  return [*made, told]
