"""A verifier's scores of a pool's samples, as a table and as arrays."""

import os
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tts_jax import errors, storage
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
  path: str | os.PathLike[str], question_ids: Sequence[str], samples: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Loads the scores of a run's pool; `scored_pool.load` has both.

  Args:
    path: the run's folder.
    question_ids: Q ids, of the pool.
    samples: N, of the pool.

  Returns:
    step_score [Q, N, R] float32, step_logprob [Q, N, R] float32, both 0 from
    the count on, and step_count [Q, N] int32.

  Raises:
    InputError: a shard is broken, or the scores are not those of the pool's
      samples, each once and in their order.
  """
  folder = storage.at(path) / STAGE
  rows = shards.read(folder)
  wanted = np.tile(np.arange(samples), len(question_ids))
  if rows["question_id"].to_pylist() != list(
    np.repeat(question_ids, samples)
  ) or not np.array_equal(rows["sample"].to_numpy(), wanted):
    raise errors.InputError(
      f"{folder}: its {rows.num_rows} scores are not those of the pool's"
      f" {len(wanted)} samples; start its command again"
    )
  rows = rows.combine_chunks()
  count = pc.list_value_length(rows["step_scores"]).to_numpy()
  most = int(count.max(initial=0))
  live = np.arange(most) < count[:, None]

  def square(name: str) -> np.ndarray:
    padded = np.zeros(live.shape, np.float32)
    padded[live] = pc.list_flatten(rows[name]).to_numpy()
    return padded.reshape(-1, samples, most)

  return (
    square("step_scores"),
    square("step_logprobs"),
    count.reshape(-1, samples).astype(np.int32),
  )
