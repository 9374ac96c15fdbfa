"""Samples that somebody else made as rows of a pool and of its scores."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from tts_jax.store import pool
from tts_jax.store import scores as scores_store
from tts_jax.tasks import base, replayed

_VERDICTS: Mapping[bool | None, base.Verdict] = {
  True: base.Verdict.CORRECT,
  False: base.Verdict.WRONG,
  None: base.Verdict.UNGRADABLE,
}


def samples(found: Sequence[replayed.Replayed], task: base.Task) -> pa.Table:
  """Rows of `store.pool`; of tokens nothing is known.

  Nor is it, where the file does not say, whether a completion came to its end:
  `finished` is then True.

  Args:
    found: questions, each with N completions.
    task: reads answers, and grades them where there are no verdicts.
  """
  return pa.concat_tables(_samples(one, task) for one in found)


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


def _samples(one: replayed.Replayed, task: base.Task) -> pa.Table:
  question, texts = one.question, one.completions
  answers = one.answers(task)
  if one.verdicts is None:
    graded = task.grade_all([(question.answer, answer) for answer in answers])
  else:
    graded = [_VERDICTS[right] for right in one.verdicts]
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
    verdict=[verdict.value for verdict in graded],
    finished=one.finished or [True] * len(texts),
  )
