"""Search trees to look at: a few questions' searches, every round kept."""

import dataclasses

import ml_collections
import numpy as np

from launch import generation, judges, planning, searchers
from tts_jax.decode import pools
from tts_jax.report import search_figures, tree, tree_page
from tts_jax.search import sweep
from tts_jax.store import atomic, pool, run
from tts_jax.tasks import base

PAGE = "trees.html"


def grow(
  cell: sweep.Cell,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  judge: judges.AnyJudge,
) -> list[tree.Tree]:
  """One search of each question, as trees, in their order."""
  rounds = cell.strategy.rounds
  search = searchers.engine(
    model, judge, config, task, cell.strategy, trace=True
  )
  requests = [pools.request(one, task, model.tokenizer) for one in questions]
  trees = {}
  for result in search(cell.seed)(requests):
    question, found = questions[result.index], result.search
    row = sweep.row(cell, question, found, task=task, tokenizer=model.tokenizer)
    spent = dataclasses.asdict(found.cost)
    trees[result.index] = tree.from_search(
      found.trace,
      question=question.text,
      answer=task.canonical(question.answer) or question.answer,
      method=search_figures.METHODS[cell.method][0],
      width=rounds.width,
      answers=row["answer"],
      scores=np.asarray(row["score"]),
      decode=model.tokenizer.decode,
      cost={
        "generations": cell.budget,
        **{k: int(v) for k, v in spent.items()},
      },
    )
  return [trees[index] for index in sorted(trees)]


def write(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  judge: judges.AnyJudge,
  samples: pool.Pool,
  back: str,
) -> None:
  """Writes the page of the most undecided questions, with a link back."""
  order = abs(samples.correct.mean(1) - 0.5).argsort(kind="stable")
  shown = [questions[i] for i in order[: config.search.tree.questions]]
  grown = grow(planning.tree(config), config, task, shown, model, judge)
  title = f"Search trees on {task.name}"
  text = tree_page.render(grown, title=title, links={"report": back})
  atomic.write_bytes(folder.path / PAGE, text.encode())
