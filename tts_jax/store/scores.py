"""A verifier's scores of a pool's samples, as a table and as arrays."""

import os
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tts_jax import errors
from tts_jax.store import shards

STAGE = "scores"

SCHEMA = pa.schema(
  [
    pa.field("question_id", pa.string(), nullable=False),
    pa.field("sample", pa.int32(), nullable=False),
    # Probabilities that the solution comes out right, one a step.
    pa.field("step_scores", pa.list_(pa.float32()), nullable=False),
    # Log-probability of each step's tokens, in nats, by the generator.
    pa.field("step_logprobs", pa.list_(pa.float32()), nullable=False),
  ]
)


def load_scores(
  path: str | os.PathLike[str], samples: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Loads the scores of a run's pool: `scores.load_scores("runs/score", 256)`.

  Args:
    path: a run's folder.
    samples: N of its pool.

  Returns:
    step_score [Q, N, R] float32, step_logprob [Q, N, R] float32, both 0 from
    the count on, and step_count [Q, N] int32.

  Raises:
    InputError: a shard is broken, or samples are missing.
  """
  folder = pathlib.Path(path) / STAGE
  rows = shards.read(folder)
  if not rows.num_rows or rows.num_rows % samples:
    raise errors.InputError(
      f"{folder}: {rows.num_rows} scores are not {samples} for each question;"
      " start its command again"
    )
  rows = rows.combine_chunks()
  ids = pc.unique(rows["question_id"])
  question = pc.index_in(rows["question_id"], ids).to_numpy()
  order = np.lexsort((rows["sample"].to_numpy(), question))
  count = pc.list_value_length(rows["step_scores"]).to_numpy()
  most = int(count.max(initial=0))
  shape = (len(ids), samples)
  live = np.arange(most) < count[:, None]

  def square(name: str) -> np.ndarray:
    padded = np.zeros((len(count), most), np.float32)
    padded[live] = pc.list_flatten(rows[name]).to_numpy()
    return padded[order].reshape(*shape, most)

  return (
    square("step_scores"),
    square("step_logprobs"),
    count[order].reshape(shape).astype(np.int32),
  )
