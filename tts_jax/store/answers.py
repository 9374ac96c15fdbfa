"""Questions that were answered with a budget: a row a question."""

import dataclasses
import os
from typing import Any

import pyarrow as pa

from tts_jax import storage, types
from tts_jax.store import shards

# How hard questions are taken to be; where nothing is estimated there is none.
PLACES, STAGE = "difficulty", "answers"

_SPENT = (
  pa.field("generations", pa.int32(), nullable=False),
  *(
    pa.field(field.name, pa.int64(), nullable=False)
    for field in dataclasses.fields(types.Cost)
  ),
  pa.field("flops", pa.float64(), nullable=False),
)
PLACES_SCHEMA = pa.schema(
  [
    pa.field("question_id", pa.string(), nullable=False),
    pa.field("difficulty", pa.float64(), nullable=False),
    *_SPENT,
  ]
)
SCHEMA = pa.schema(
  [
    # The question's place in the file, from 0: shards are by strategy.
    pa.field("index", pa.int32(), nullable=False),
    pa.field("question_id", pa.string(), nullable=False),
    pa.field("question", pa.string(), nullable=False),
    # Null where no solution states one, and so are solution, score and share.
    pa.field("answer", pa.string()),
    pa.field("solution", pa.string()),
    pa.field("score", pa.float64()),
    pa.field("share", pa.float64()),
    # Null where the file has none, and so is correct.
    pa.field("reference", pa.string()),
    pa.field("correct", pa.bool_()),
    pa.field("strategy", pa.string(), nullable=False),
    # As a policy file holds it, in JSON.
    pa.field("plan", pa.string(), nullable=False),
    pa.field("why", pa.string(), nullable=False),
    pa.field("difficulty", pa.float64()),
    pa.field("bin", pa.int32()),
    *_SPENT,
  ]
)


def load_answers(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
  """Loads what a run has answered so far: `load_answers("runs/solve")`.

  Args:
    path: the run's folder.

  Returns:
    Rows of `SCHEMA`, in the order of the file of questions.

  Raises:
    InputError: there are none, or a shard is broken.
  """
  rows = shards.read(storage.at(path) / STAGE).to_pylist()
  return sorted(rows, key=lambda row: row["index"])
