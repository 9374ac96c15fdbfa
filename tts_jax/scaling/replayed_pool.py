"""Samples that somebody else made as rows of a pool, and the other way."""

import dataclasses
import itertools
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from tts_jax import errors, storage
from tts_jax.store import pool, shards
from tts_jax.store import scores as scores_store
from tts_jax.tasks import base, replayed

_VERDICTS: Mapping[bool | None, base.Verdict] = {
  True: base.Verdict.CORRECT,
  False: base.Verdict.WRONG,
  None: base.Verdict.UNGRADABLE,
}
_RIGHT = {verdict.value: right for right, verdict in _VERDICTS.items()}
_PLACE = ("question_id", "sample")
# Of a sample in a pool, what others may want.
_TOLD = ("text", "tokens", "answer", "verdict", "finished")


def samples(found: Sequence[replayed.Replayed], task: base.Task) -> pa.Table:
  """Rows of `store.pool`; of tokens nothing is known.

  Nor is it, where the file does not say, whether a completion came to its end:
  `finished` is then True.

  Args:
    found: questions, each with N completions.
    task: reads answers, and grades them where there are no verdicts.
  """
  stated = [one.answers(task) for one in found]
  # All at once, so that they are shared out.
  graded = iter(
    task.grade_all(
      [
        (one.question.answer, answer)
        for one, answers in zip(found, stated, strict=True)
        if one.verdicts is None
        for answer in answers
      ]
    )
  )
  return pa.concat_tables(
    _samples(one, task, answers, graded)
    for one, answers in zip(found, stated, strict=True)
  )


def scores(found: Sequence[replayed.Replayed]) -> pa.Table:
  """Rows of `store.scores`, with log-probabilities of 0, of questions."""
  rows = [
    {
      "question_id": one.question.id,
      "sample": index,
      "step_scores": steps,
      "step_logprobs": [0.0] * len(steps),
    }
    for one in found
    for index, steps in enumerate(one.scores or ())
  ]
  return pa.Table.from_pylist(rows, scores_store.SCHEMA)


def of_run(
  path: str | os.PathLike[str], questions: Sequence[base.Question]
) -> Iterator[replayed.Replayed]:
  """A run's samples, with its scores where it has them, a shard at a time.

  Args:
    path: the run's folder.
    questions: all that the pool may hold.

  Yields:
    Its questions in their order, each with all that is known of its samples;
    `meta` has in `completion_tokens` the length of each.

  Raises:
    InputError: the pool or the scores are not whole, or a question of the pool
      is not among those given.
  """
  folder, by_id = storage.at(path), {one.id: one for one in questions}
  found = pool.load_pool(folder)
  judged: Iterator[list[Any]] = itertools.repeat([])
  if scored := (folder / scores_store.STAGE).is_dir():
    size = found.correct.shape[1]
    scores_store.load_scores(folder, found.question_ids, size)
    judged = _by_question(folder / scores_store.STAGE, ("step_scores",))
  rows = _by_question(folder / pool.STAGE, _TOLD)
  for mine, steps in zip(rows, judged, strict=False):
    question = by_id.get(mine[0]["question_id"])
    if question is None:
      raise errors.InputError(
        f"{folder}: question {mine[0]['question_id']!r} of the pool is not"
        " among those of its config; has their file changed?"
      )
    tokens = {"completion_tokens": [len(row["tokens"]) for row in mine]}
    yield replayed.Replayed(
      question=dataclasses.replace(question, meta={**question.meta, **tokens}),
      completions=tuple(row["text"] for row in mine),
      scores=tuple(tuple(row["step_scores"]) for row in steps)
      if scored
      else None,
      verdicts=tuple(_RIGHT[row["verdict"]] for row in mine),
      stated=tuple(row["answer"] for row in mine),
      finished=tuple(row["finished"] for row in mine),
    )


def _by_question(
  stage: pathlib.Path, columns: Sequence[str]
) -> Iterator[list[dict[str, Any]]]:
  """Each question's rows by sample; a question is in one shard."""
  for _, table in shards.batches(stage, (*_PLACE, *columns)):
    for _, mine in itertools.groupby(
      table.to_pylist(), lambda row: row["question_id"]
    ):
      yield sorted(mine, key=lambda row: row["sample"])


def _samples(
  one: replayed.Replayed,
  task: base.Task,
  answers: Sequence[str | None],
  graded: Iterator[base.Verdict],
) -> pa.Table:
  """A question's rows; `graded` goes on with its verdicts, if it has none."""
  question, texts = one.question, one.completions
  verdicts: Iterable[base.Verdict] = itertools.islice(graded, len(texts))
  if one.verdicts is not None:
    verdicts = (_VERDICTS[right] for right in one.verdicts)
  nothing: list[list[int]] = [[]] * len(texts)
  return pool.table(
    question_id=[question.id] * len(texts),
    uid=[question.uid] * len(texts),
    sample=range(len(texts)),
    text=texts,
    tokens=nothing,
    logprobs=nothing,
    step_min_logprob=nothing,
    answer=one.votes(answers, task),
    verdict=[verdict.value for verdict in verdicts],
    finished=one.finished or [True] * len(texts),
  )
