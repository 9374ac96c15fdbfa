"""Writing samples that somebody else made as the stages of a run."""

import pathlib
from collections.abc import Sequence

import pyarrow as pa
import tqdm

from tts_jax.store import atomic, pool, run, scores
from tts_jax.tasks import base, replayed


def fill(
  folder: run.Run,
  file: pathlib.Path,
  found: Sequence[replayed.Replayed],
  task: base.Task,
  *,
  batch: int,
) -> None:
  """Fills a run's pool, and its scores where the file has them.

  Args:
    folder: of the run.
    file: what was read.
    found: Q questions, each with N completions.
    task: reads answers, and grades them where the file has no verdicts.
    batch: questions a shard.
  """
  made_of = atomic.file_hash(file)
  samples = folder.stage(pool.STAGE, pool.SCHEMA, made_of)
  pool.expect(folder, len(found))
  judged = None
  if found[0].scores is not None:
    judged = folder.stage(scores.STAGE, scores.SCHEMA, made_of)
  with tqdm.tqdm(total=len(found), unit="question") as bar:
    for first in range(0, len(found), batch):
      mine, number = found[first : first + batch], first // batch
      if number not in samples.done():
        rows = [_samples(one, task) for one in mine]
        samples.write(number, pa.concat_tables(rows))
      if judged is not None and number not in judged.done():
        judged.write(number, _scores(mine))
      bar.update(len(mine))


def _samples(one: replayed.Replayed, task: base.Task) -> pa.Table:
  """A question's rows of the pool; of tokens nothing is known."""
  question, texts = one.question, one.completions
  answers = [task.extract(text) for text in texts]
  if one.verdicts is None:
    graded = task.grade_all([(question.answer, answer) for answer in answers])
    verdicts = [verdict.value for verdict in graded]
  else:
    verdicts = [
      (base.Verdict.CORRECT if right else base.Verdict.WRONG).value
      for right in one.verdicts
    ]
  nothing: list[list[int]] = [[]] * len(texts)
  return pool.table(
    question_id=[question.id] * len(texts),
    uid=[question.uid] * len(texts),
    sample=range(len(texts)),
    text=texts,
    tokens=nothing,
    logprobs=nothing,
    step_min_logprob=nothing,
    answer=base.canonical_all(task, answers),
    verdict=verdicts,
    finished=[True] * len(texts),
  )


def _scores(mine: Sequence[replayed.Replayed]) -> pa.Table:
  rows = [
    {
      "question_id": one.question.id,
      "sample": index,
      "step_scores": steps,
      "step_logprobs": [0.0] * len(steps),
    }
    for one in mine
    for index, steps in enumerate(one.scores or ())
  ]
  return pa.Table.from_pylist(rows, scores.SCHEMA)
