"""Chains of revisions: a row an answer, as the pool has a row a sample."""

import dataclasses
import os
import pathlib

import numpy as np
import pyarrow as pa

from tts_jax import errors
from tts_jax.store import pool, shards

STAGE = "chains"

# Of a question's answers the `sample`-th is turn `turn` of chain `chain`.
SCHEMA = pa.schema(
  [
    *pool.SCHEMA,
    pa.field("chain", pa.int32(), nullable=False),
    pa.field("turn", pa.int32(), nullable=False),
    # Its context, as turns of its chain, the latest last.
    pa.field("context", pa.list_(pa.int32()), nullable=False),
    # Tokens of the context that were read anew, since an answer had left it.
    pa.field("read", pa.int32(), nullable=False),
  ]
)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Chains:
  """A run's chains as arrays.

  Attributes:
    answers: as of a pool, [Q, A]: those of the first chain, then of the second,
      and so on.
    lengths: answers of each chain, of every question.
    read: [Q, A] int32, tokens of the answer's context that were read anew.
  """

  answers: pool.Pool
  lengths: tuple[int, ...]
  read: np.ndarray

  def prefixes(self, values: np.ndarray, length: int) -> np.ndarray:
    """The first answers of every chain that has so many.

    Args:
      values: [Q, A], of the answers.
      length: s, of each prefix.

    Returns:
      [Q, E, s], of E chains.

    Raises:
      InputError: no chain is so long.
    """
    starts = np.cumsum([0, *self.lengths[:-1]])
    able = [
      start
      for start, own in zip(starts, self.lengths, strict=True)
      if own >= length
    ]
    if not able:
      raise errors.InputError(
        f"no chain has {length} answers; they have {max(self.lengths)} at most"
      )
    return values[:, np.add.outer(able, np.arange(length))]


def load_chains(path: str | os.PathLike[str]) -> Chains:
  """Loads a run's chains: `chains.load_chains("runs/revise")`.

  Args:
    path: the run's folder.

  Raises:
    InputError: there are none, a shard is broken, or questions are missing.
  """
  folder = pathlib.Path(path) / STAGE
  answers = pool.load_pool(folder)
  rows = shards.read(folder, ("chain", "read"))
  chain = rows["chain"].to_numpy().reshape(answers.correct.shape)
  return Chains(
    answers=answers,
    lengths=tuple(np.bincount(chain[0]).tolist()),
    read=rows["read"].to_numpy().reshape(answers.correct.shape),
  )
