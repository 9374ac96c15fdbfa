"""A sweep: every method at every budget, by several seeds, on all questions."""

import dataclasses
from collections.abc import (
  Callable,
  Collection,
  Iterable,
  Iterator,
  Mapping,
  Sequence,
)
from typing import Any

import numpy as np
import pyarrow as pa

from tts_jax import errors, types
from tts_jax.decode import pools
from tts_jax.decode import stream as decode_stream
from tts_jax.search import results, strategies, stream
from tts_jax.store import searches, shards
from tts_jax.tasks import base, tokenization

Requests = Iterable[decode_stream.Request]


@dataclasses.dataclass(frozen=True)
class Cell:
  """One search on all questions.

  Attributes:
    method: a name of `strategies.BY_NAME`.
    budget: in generations.
    seed: of the draws.
  """

  method: str
  budget: int
  seed: int

  def __str__(self) -> str:
    """As a progress bar shows it."""
    return f"{self.method} {self.budget}, seed {self.seed}"

  @property
  def strategy(self) -> strategies.Strategy:
    """The search itself."""
    return strategies.BY_NAME[self.method](self.budget)


# From a strategy, which is compiled once, and then a seed to `stream.stream`
# with all but its requests.
Engine = Callable[
  [strategies.Strategy],
  Callable[[int], Callable[[Requests], Iterator[stream.Result]]],
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
  """A question is done.

  Attributes:
    cell: the search.
    done: questions searched by this call so far, over all cells.
    left: questions that it still has to search.
    stats: of the cell, from the start of this call.
  """

  cell: Cell
  done: int
  left: int
  stats: decode_stream.Stats


def cells(budgets: Mapping[str, Collection[int]], seeds: int) -> list[Cell]:
  """The sweep's cells, the cheapest first.

  A method is left out at a budget that is less than one row of it costs, as
  lookahead of 3 steps is below 4.

  Args:
    budgets: in generations, of each method, a name of `strategies.BY_NAME`.
    seeds: how many; they count from 0.

  Raises:
    InputError: there is no such method; no seed; a budget below 1.
  """
  if seeds < 1:
    raise errors.InputError(f"seeds is {seeds}; it must be at least 1")
  for method, mine in budgets.items():
    if method not in strategies.BY_NAME:
      names = ", ".join(sorted(strategies.BY_NAME))
      raise errors.InputError(
        f"config.search.methods has {method!r}; it must be of {names}"
      )
    for budget in mine:
      if budget < 1:
        raise errors.InputError(
          f"config.search.budgets has {budget}; it must be at least 1"
        )
  return [
    Cell(method, budget, seed)
    for seed in range(seeds)
    for budget in sorted({one for mine in budgets.values() for one in mine})
    for method, mine in budgets.items()
    if budget in mine and budget >= strategies.LEAST.get(method, 1)
  ]


def row(
  cell: Cell,
  question: base.Question,
  result: results.SearchResult,
  *,
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
) -> dict[str, Any]:
  """A question's search as a row of `searches.SCHEMA`.

  Args:
    cell: the search.
    question: the question.
    result: numpy arrays without the question's axis.
    task: reads answers and grades them.
    tokenizer: of the model.
  """
  lengths, valid = result.candidates.length, result.valid
  texts = [
    tokenizer.decode(tokens[:length].tolist())
    for tokens, length in zip(result.candidates.tokens, lengths, strict=True)
  ]
  # What was cut states no answer, even where what stands there looks like one.
  answers = [
    task.extract(text) if done else None
    for text, done in zip(texts, valid, strict=True)
  ]
  verdicts = task.grade_all([(question.answer, answer) for answer in answers])
  counts = np.maximum(result.step_count, 1)
  last = np.take_along_axis(result.step_score, counts[:, None] - 1, axis=1)
  return {
    "method": cell.method,
    "budget": cell.budget,
    "seed": cell.seed,
    "question_id": question.id,
    "text": texts,
    "answer": base.canonical_all(task, answers),
    "correct": [verdict is base.Verdict.CORRECT for verdict in verdicts],
    "valid": valid.tolist(),
    "score": last[:, 0].tolist(),
    "step_scores": [
      scores[:count].tolist()
      for scores, count in zip(
        result.step_score, result.step_count, strict=True
      )
    ],
    "length": lengths.tolist(),
    **{
      field.name: int(getattr(result.cost, field.name))
      for field in dataclasses.fields(types.Cost)
    },
  }


def left(
  stage: shards.Stage,
  todo: Sequence[Cell],
  questions: Sequence[base.Question],
  batch: int,
) -> int:
  """How many searches of a question the stage still lacks."""
  return sum(
    len(indices)
    for index in range(len(todo))
    for indices in _missing(stage, index, len(questions), batch).values()
  )


def fill(
  stage: shards.Stage,
  todo: Sequence[Cell],
  questions: Sequence[base.Question],
  engine: Engine,
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  *,
  batch: int,
) -> Iterator[Progress]:
  """Searches what the stage lacks, cell by cell.

  A kill loses the questions of unfinished shards and nothing else; what is
  found depends on neither, so the stage ends the same, byte for byte.

  Args:
    stage: of a run, with `searches.SCHEMA`.
    todo: all of the sweep's cells.
    questions: all of the run's.
    engine: makes a search; called for a strategy as often as it has seeds.
    task: states prompts, reads answers and grades them.
    tokenizer: of the model.
    batch: questions a shard.

  Yields:
    Progress, after each question.
  """
  remaining, done = left(stage, todo, questions, batch), 0
  for index, cell in enumerate(todo):
    missing = _missing(stage, index, len(questions), batch)
    if not missing:
      continue
    wanted = [i for indices in missing.values() for i in indices]
    waiting: dict[int, dict[int, dict[str, Any]]] = {}
    requests = (pools.request(questions[i], task, tokenizer) for i in wanted)
    for result in engine(cell.strategy)(cell.seed)(requests):
      place = wanted[result.index]
      shard = index * _shards(len(questions), batch) + place // batch
      rows = waiting.setdefault(shard, {})
      rows[place] = row(
        cell, questions[place], result.search, task=task, tokenizer=tokenizer
      )
      if len(rows) == len(missing[shard]):
        del waiting[shard]
        mine = [rows[i] for i in sorted(rows)]
        stage.write(shard, pa.Table.from_pylist(mine, searches.SCHEMA))
      done += 1
      yield Progress(
        cell=cell, done=done, left=remaining - done, stats=result.stats
      )


def _shards(questions: int, batch: int) -> int:
  return -(-questions // batch)


def _missing(
  stage: shards.Stage, cell: int, questions: int, batch: int
) -> dict[int, list[int]]:
  """Questions of each shard of a cell that is not there yet."""
  count, done = _shards(questions, batch), stage.done()
  return {
    cell * count + part: list(
      range(part * batch, min((part + 1) * batch, questions))
    )
    for part in range(count)
    if cell * count + part not in done
  }
