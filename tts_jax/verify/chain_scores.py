"""A verifier's scores of chains of revisions, as shards of a run."""

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tts_jax.store import chains as store
from tts_jax.store import manifest, run, shards
from tts_jax.verify import histories, pool_scores, saved, solutions


def open_stage(
  folder: run.Run,
  name: str,
  chains: str,
  verifier: pathlib.Path,
  *,
  history: bool,
) -> shards.Stage:
  """The stage `name`, a verifier's scores of the stage `chains`.

  Args:
    folder: of the run.
    name: of the stage.
    chains: name of the stage that is scored.
    verifier: its folder.
    history: each answer is read behind its context.
  """
  inputs = {
    "history": history,
    "chains": shards.content_hash([folder.path / chains]),
    "verifier": saved.content_hash(verifier),
  }
  return folder.stage(name, store.SCORES_SCHEMA, manifest.config_hash(inputs))


def fill(
  stage: shards.Stage,
  rows: pa.Table,
  score: pool_scores.Score,
  *,
  history: bool,
  batch: int,
) -> Iterator[int]:
  """Scores the questions whose shards are not there yet.

  Args:
    stage: as `open_stage` gives it.
    rows: the run's chains, with at least `histories.COLUMNS`.
    score: `scoring.score` with its models.
    history: each answer is read behind its context.
    batch: questions a shard.

  Yields:
    How many questions are left, after each shard.
  """
  questions = list(histories.by_question(rows.to_pylist()))
  left = [
    first
    for first in range(0, len(questions), batch)
    if first // batch not in stage.done()
  ]
  for turn, first in enumerate(left, 1):
    mine = questions[first : first + batch]
    texts = [_texts(chains, history) for chains in mine]
    packed = [
      (
        chains[0][0]["prompt"],
        [
          solutions.Solution(tokens=read, step_end=ends) for read, ends in found
        ],
      )
      for chains, found in zip(mine, texts, strict=True)
    ]
    made: list[dict[str, Any]] = []
    for chains, found, values in zip(mine, texts, score(packed), strict=True):
      by_text = dict(zip(found, values, strict=True))
      made += _rows(chains, by_text, history)
    stage.write(first // batch, pa.Table.from_pylist(made, store.SCORES_SCHEMA))
    yield sum(len(questions[later : later + batch]) for later in left[turn:])


_Text = tuple[tuple[int, ...], tuple[int, ...]]


def _texts(
  chains: Sequence[Sequence[Mapping[str, Any]]], history: bool
) -> list[_Text]:
  """What is read of a question, each text once."""
  return list(
    dict.fromkeys(
      histories.tokens(chain, reading)
      for chain in chains
      for reading in histories.of_chain(chain, history=history)
    )
  )


def _rows(
  chains: Sequence[Sequence[Mapping[str, Any]]],
  by_text: Mapping[_Text, np.ndarray],
  history: bool,
) -> list[dict[str, Any]]:
  made = []
  for chain in chains:
    score: dict[int, float] = {}
    for reading in histories.of_chain(chain, history=history):
      values = by_text[histories.tokens(chain, reading)]
      for place, value in zip(reading.judged, values, strict=True):
        score[reading.turns[place]] = float(value)
    made += [
      {
        "question_id": row["question_id"],
        "sample": row["sample"],
        "score": score.get(row["turn"]),
      }
      for row in chain
    ]
  return made
