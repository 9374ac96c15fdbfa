"""A file of questions, answered: rows that stream to a run's folder.

First all questions are placed, where the policy asks for that; then they are
answered strategy by strategy, so that each engine compiles once and its rows
stay busy. A shard holds questions of one strategy. A kill loses the questions
of unfinished shards and nothing else.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from tts_jax.decode import pools
from tts_jax.solving import deciding, drawing, solver, spending
from tts_jax.store import answers, shards
from tts_jax.tasks import base


def place(
  stage: shards.Stage,
  questions: Sequence[base.Question],
  solving: solver.Solver,
  *,
  batch: int,
) -> Iterator[int]:
  """Places the questions whose shards are not there yet.

  Args:
    stage: of a run, with `answers.PLACES_SCHEMA`.
    questions: all of the run's.
    solving: whose policy reads difficulty.
    batch: questions a shard.

  Yields:
    How many questions are left: at once, and after each, or, where prompts are
    read, after each shard.

  Raises:
    InputError: as `pools.missing`, or as the engines.
  """
  todo = pools.missing(stage, questions, batch)
  yield len(todo)
  if solving.reads_prompts:
    yield from _read(stage, questions, solving, todo, batch)
    return
  waiting: dict[int, dict[int, drawing.Drawn]] = {}
  drawn = solving.draw(
    solving.estimate, (questions[i] for i in todo), "estimate"
  )
  for count, (number, one) in enumerate(drawn, 1):
    index = todo[number]
    mine = waiting.setdefault(index // batch, {})
    mine[index] = one
    first = index // batch * batch
    if len(mine) == len(questions[first : first + batch]):
      del waiting[index // batch]
      order = sorted(mine)
      found = solving.placed([mine[i] for i in order])
      table = _places([questions[i] for i in order], found)
      stage.write(index // batch, table)
    yield len(todo) - count


def _read(
  stage: shards.Stage,
  questions: Sequence[base.Question],
  solving: solver.Solver,
  todo: Sequence[int],
  batch: int,
) -> Iterator[int]:
  """As `place`, by prompts: those of a shard are read together."""
  left = len(todo)
  for number in dict.fromkeys(index // batch for index in todo):
    mine = questions[number * batch :][:batch]
    stage.write(number, _places(mine, solving.read(mine)))
    left -= len(mine)
    yield left


def _places(
  questions: Sequence[base.Question], placed: Sequence[solver.Placed]
) -> pa.Table:
  rows = [
    {
      "question_id": question.id,
      "difficulty": one.difficulty,
      **_spent(one.spent),
    }
    for question, one in zip(questions, placed, strict=True)
  ]
  return pa.Table.from_pylist(rows, answers.PLACES_SCHEMA)


def places(stage: shards.Stage) -> list[solver.Placed]:
  """What `place` found, in the order of the questions."""
  return [
    solver.Placed(
      difficulty=row["difficulty"],
      spent=spending.Spent(
        generations=row["generations"],
        tokens={name: row[name] for name in spending.TOKENS},
        flops=row["flops"],
      ),
    )
    for row in stage.read().to_pylist()
  ]


def fill(
  stage: shards.Stage,
  questions: Sequence[base.Question],
  placed: Sequence[solver.Placed],
  solving: solver.Solver,
  *,
  batch: int,
  show: Callable[[int, solver.Solved], None] = lambda index, solved: None,
) -> Iterator[int]:
  """Answers the questions whose shards are not there yet.

  Args:
    stage: of a run, with `answers.SCHEMA`.
    questions: Q, all of the run's.
    placed: Q, of them.
    solving: answers.
    batch: questions a shard, at most.
    show: called with each answer and its question's index, before its shard is
      written.

  Yields:
    How many questions are left: at once, and after each.

  Raises:
    InputError: as `pools.missing`, or as the engines.
  """
  pools.missing(
    stage, questions, batch
  )  # Two questions of one uid are refused.
  decisions = [solving.decide(one) for one in placed]
  parts = partition(decisions, batch)
  todo = [number for number in range(len(parts)) if number not in stage.done()]
  left = sum(len(parts[number]) for number in todo)
  yield left

  def plan_of(number: int) -> Any:
    return decisions[parts[number][0]].plan

  for plan, numbers in itertools.groupby(todo, plan_of):
    wanted = [(number, i) for number in numbers for i in parts[number]]
    waiting: dict[int, dict[int, drawing.Drawn]] = {}
    for at, drawn in solving.draw(plan, (questions[i] for _, i in wanted)):
      number, index = wanted[at]
      mine = waiting.setdefault(number, {})
      mine[index] = drawn
      if len(mine) == len(parts[number]):
        del waiting[number]
        whole = [mine[i] for i in parts[number]]
        rows = []
        for i, one in zip(
          parts[number],
          drawing.judge(plan, whole, solving.engines),
          strict=True,
        ):
          solved = solving.answer(
            questions[i], decisions[i], one, placed[i].spent
          )
          show(i, solved)
          rows.append(row(i, solved))
        stage.write(number, pa.Table.from_pylist(rows, answers.SCHEMA))
      left -= 1
      yield left


def partition(
  decisions: Sequence[deciding.Decision], batch: int
) -> list[list[int]]:
  """Shards of questions of one strategy each, by their indices."""
  by_plan: dict[str, list[int]] = {}
  for index, one in enumerate(decisions):
    by_plan.setdefault(deciding.order(one.plan), []).append(index)
  return [
    mine[first : first + batch]
    for _, mine in sorted(by_plan.items())
    for first in range(0, len(mine), batch)
  ]


def row(index: int, solved: solver.Solved) -> dict[str, Any]:
  """An answer as a row of `answers.SCHEMA`; `index` is its question's."""
  question, decision = solved.question, solved.decision
  return {
    "index": index,
    "question_id": question.id,
    "question": question.text,
    "answer": solved.answer,
    "solution": solved.solution or None,
    "score": solved.score,
    "share": solved.share,
    "reference": question.answer or None,
    "correct": solved.correct,
    "strategy": deciding.words(decision.plan),
    "plan": deciding.order(decision.plan),
    "why": decision.why,
    "difficulty": decision.difficulty,
    "bin": decision.bin,
    **_spent(solved.spent),
  }


def _spent(spent: spending.Spent) -> dict[str, Any]:
  return {
    "generations": spent.generations,
    **spent.tokens,
    "flops": spent.flops,
  }
