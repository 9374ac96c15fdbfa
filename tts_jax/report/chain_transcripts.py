"""Chains worth reading: which questions to show, and what is shown of them."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tts_jax import storage
from tts_jax.report import chain_page, transcripts
from tts_jax.store import chains as store
from tts_jax.store import shards
from tts_jax.tasks import base
from tts_jax.verify import choosing

# Of a question's chains, and of a chain's answers, the first so many.
CHAINS, ANSWERS = 2, 6

_COLUMNS = (
  *("question_id", "chain", "turn", "text", "answer", "verdict", "finished"),
  "context",
)


def read(
  path: str | os.PathLike[str],
  chains: store.Chains,
  score: np.ndarray,
  questions: Sequence[base.Question],
) -> list[chain_page.Question]:
  """Questions from easy to hard, with the first answers of their first chains.

  Args:
    path: the run's folder.
    chains: of the run.
    score: [Q, A], its revision verifier's.
    questions: Q, of the run.
  """
  found = chains.answers
  # Where every answer is right, or none, there is little to see.
  picks = transcripts.pick(found.correct) or [
    transcripts.Pick("of one kind", 0, ())
  ]
  wanted = {found.question_ids[one.question] for one in picks}
  drawn: dict[str, list[dict[str, Any]]] = {name: [] for name in wanted}
  rows = shards.read(storage.at(path) / store.STAGE, _COLUMNS)
  for row in rows.to_pylist():
    if row["question_id"] in wanted:
      drawn[row["question_id"]].append(row)
  made = []
  for one in picks:
    index, start = one.question, 0
    mine = drawn[found.question_ids[index]]
    shown = []
    for length in chains.lengths[:CHAINS]:
      answers = slice(start, start + length)
      stated = np.where(found.finished, found.answers, -1)[index, answers]
      shown.append(_chain(mine[answers], stated, score[index, answers]))
      start += length
    made.append(
      chain_page.Question(
        level=one.level,
        text=questions[index].text,
        answer=questions[index].answer,
        share=float(found.correct[index].mean()),
        chains=shown,
      )
    )
  return made


def _chain(
  rows: Sequence[dict[str, Any]],
  stated: np.ndarray,  # [s], the answer's group; -1 for none
  score: np.ndarray,  # [s]
) -> chain_page.Chain:
  winner = int(choosing.chain_winners(stated[None], score[None])[0])
  return chain_page.Chain(
    answers=[
      chain_page.Answer(
        text=row["text"],
        verdict=row["verdict"],
        answer=row["answer"],
        score=float(value) if row["finished"] else None,
        shown=[turn + 1 for turn in row["context"]],
      )
      for row, value in zip(rows[:ANSWERS], score, strict=False)
    ],
    length=len(rows),
    chosen=None if winner < 0 else winner + 1,
  )
