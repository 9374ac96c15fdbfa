"""Chains worth reading: which questions to show, and what is shown of them."""

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

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
  share = chains.answers.correct.mean(1)
  order = np.argsort(share, kind="stable")
  # Where every answer is right, or none, there is little to see.
  mixed = [int(i) for i in order if 0 < share[i] < 1] or order.tolist()
  places = {
    level: mixed[int(part * (len(mixed) - 1))]
    for level, part in transcripts.LEVELS
  }
  wanted = {chains.answers.question_ids[i] for i in places.values()}
  drawn: dict[str, list[dict[str, Any]]] = {}
  rows = shards.read(pathlib.Path(path) / store.STAGE, _COLUMNS)
  for row in rows.to_pylist():
    if row["question_id"] in wanted:
      drawn.setdefault(row["question_id"], []).append(row)
  found = []
  for level, index in places.items():
    mine = drawn[chains.answers.question_ids[index]]
    scored = list(zip(mine, score[index], strict=True))
    picked = [
      [pair for pair in scored if pair[0]["chain"] == chain][:ANSWERS]
      for chain in range(min(CHAINS, len(chains.lengths)))
    ]
    found.append(
      chain_page.Question(
        level=level,
        text=questions[index].text,
        answer=questions[index].answer,
        chains=[_chain(chain) for chain in picked],
      )
    )
  return found


def _chain(
  chain: Sequence[tuple[dict[str, Any], float]],
) -> list[chain_page.Answer]:
  names: dict[str, int] = {}
  groups = [
    -1 if row["answer"] is None else names.setdefault(row["answer"], len(names))
    for row, _ in chain
  ]
  score = np.array([[value for _, value in chain]], np.float32)
  winner = int(choosing.chain_winners(np.array([groups], np.int32), score)[0])
  return [
    chain_page.Answer(
      text=row["text"],
      verdict=row["verdict"],
      answer=row["answer"],
      score=float(value) if row["finished"] else None,
      shown=[turn + 1 for turn in row["context"]],
      chosen=place == winner,
    )
    for place, (row, value) in enumerate(chain)
  ]
