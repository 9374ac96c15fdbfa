"""A verifier's scores of given solutions, as a table and as arrays."""

import os
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tts_jax import errors, storage
from tts_jax.store import shards

SCHEMA = pa.schema(
  [
    pa.field("id", pa.string(), nullable=False),
    # Probabilities that the solution is right so far, one a step.
    pa.field("step_scores", pa.list_(pa.float32()), nullable=False),
    # That the verifier read, those of the question among them.
    pa.field("tokens", pa.int32(), nullable=False),
  ]
)


def stage(name: str) -> str:
  """The stage of a file of solutions."""
  return f"steps_{name}"


def load(
  path: str | os.PathLike[str], name: str, ids: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, int]:
  """Loads the scores of a file's solutions.

  Args:
    path: the run's folder.
    name: of the file.
    ids: S ids, of the solutions.

  Returns:
    step_score [S, R] float32, 0 from the count on, step_count [S] int32, and
    how many tokens were read.

  Raises:
    InputError: a shard is broken, or the scores are not those of the solutions,
      each once and in their order.
  """
  folder = storage.at(path) / stage(name)
  rows = shards.read(folder).combine_chunks()
  if rows["id"].to_pylist() != list(ids):
    raise errors.InputError(
      f"{folder}: its {rows.num_rows} scores are not those of the"
      f" {len(ids)} solutions; start its command again"
    )
  count = pc.list_value_length(rows["step_scores"]).to_numpy()
  live = np.arange(int(count.max(initial=0))) < count[:, None]
  score = np.zeros(live.shape, np.float32)
  score[live] = pc.list_flatten(rows["step_scores"]).to_numpy()
  return score, count.astype(np.int32), int(pc.sum(rows["tokens"]).as_py())
