"""Samples worth reading: which questions to show, and what is shown of them."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import chex
import numpy as np
import pyarrow.compute as pc

from tts_jax import storage
from tts_jax.store import pool, shards
from tts_jax.tasks import base

# Where in the order from hard to easy the questions to show are taken.
LEVELS = (("easy", 0.9), ("middle", 0.5), ("hard", 0.1))


@dataclasses.dataclass(frozen=True)
class Sample:
  """One completion.

  Attributes:
    text: what the model wrote.
    answer: what was read out of it, None when nothing could be.
    verdict: the grader's word, such as "correct", "wrong", "ungradable".
    logprob: natural log-probability of the whole completion.
    finished: the model ended by itself; False when cut at the limit.
  """

  text: str
  answer: str | None
  verdict: str
  logprob: float
  finished: bool = True


@dataclasses.dataclass(frozen=True)
class Transcript:
  """A question and some of its samples.

  Attributes:
    level: what kind of question it stands for, such as "easy".
    question: the text.
    answer: the right one.
    pass_at_1: share of all its samples that are correct.
    samples: those shown.
  """

  level: str
  question: str
  answer: str
  pass_at_1: float
  samples: Sequence[Sample]


@dataclasses.dataclass(frozen=True)
class Pick:
  """Where a transcript lies in a pool.

  Attributes:
    level: "easy", "middle" or "hard".
    question: row of the pool.
    samples: columns of the pool, correct ones first.
  """

  level: str
  question: int
  samples: tuple[int, ...]


def pick(correct: np.ndarray, *, each: int = 2) -> list[Pick]:
  """Chooses an easy, a middle and a hard question with samples of both kinds.

  Only questions with both right and wrong samples are eligible, since the
  contrast is what there is to read; a question is never shown twice.

  Args:
    correct: [Q, N] bool.
    each: how many correct and how many wrong samples to show, at most.

  Returns:
    At most three picks, the easy one first; fewer when fewer are eligible.
  """
  chex.assert_rank(correct, 2)
  rate = correct.mean(1)
  mixed = np.flatnonzero((rate > 0) & (rate < 1))
  ranked = mixed[np.argsort(rate[mixed], kind="stable")]
  picks: list[Pick] = []
  for level, quantile in LEVELS:
    if not len(ranked):
      break
    question = int(ranked[round(quantile * (len(ranked) - 1))])
    if question in {earlier.question for earlier in picks}:
      continue
    right = np.flatnonzero(correct[question])[:each]
    wrong = np.flatnonzero(~correct[question].astype(bool))[:each]
    samples = tuple(int(n) for n in (*right, *wrong))
    picks.append(Pick(level, question, samples))
  return picks


def read(
  path: str | os.PathLike[str],
  found: pool.Pool,
  questions: Sequence[base.Question],
) -> list[Transcript]:
  """Reads the transcripts worth showing from a run's pool.

  Args:
    path: the run's folder.
    found: its pool, loaded.
    questions: all that the pool may hold.
  """
  by_id = {question.id: question for question in questions}
  columns = ("question_id", "sample", "text", "answer", "verdict")
  rows = shards.read(
    storage.at(path) / pool.STAGE, (*columns, "logprob", "finished")
  )
  transcripts = []
  for one in pick(found.correct):
    question = by_id[found.question_ids[one.question]]
    mine = rows.filter(pc.equal(rows["question_id"], question.id)).to_pylist()
    by_sample = {row["sample"]: row for row in mine}
    transcripts.append(
      Transcript(
        level=one.level,
        question=question.text,
        answer=question.answer,
        pass_at_1=float(found.correct[one.question].mean()),
        samples=[_sample(by_sample[sample]) for sample in one.samples],
      )
    )
  return transcripts


def _sample(row: dict[str, Any]) -> Sample:
  fields = ("text", "answer", "verdict", "logprob", "finished")
  return Sample(**{field: row[field] for field in fields})
