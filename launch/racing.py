"""Other programs as ways of drawing the same samples."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from launch import shipping, turns
from tts_jax import errors
from tts_jax.store import pool

_POOL = shipping.FOLDER / f"{pool.STAGE}.parquet"

# `generate` with num_return_sequences; with a static cache; its best case, one
# prefill of each prompt whose cache is repeated; and `generate_batch`, which
# batches continuously, at one length alone.
WAYS = ("dynamic", "static", "repeated", "continuous")


class Peer(Protocol):
  """Another program."""

  def seconds(
    self, way: str, prompts: Sequence[Sequence[int]], lengths: Sequence[int]
  ) -> float:
    """How long samples of these lengths of each prompt take."""
    ...


def lengths(count: int, rng: np.random.Generator) -> list[int]:
  """Tokens of as many samples of the pool that ships, drawn at random."""
  rows = pq.read_table(_POOL, columns=["tokens"])["tokens"]
  return rng.choice(pc.list_value_length(rows).to_numpy(), count).tolist()


def theirs(
  peer: Peer,
  way: str,
  prompts: Sequence[Sequence[int]],
  lengths: Sequence[int],
  rows: int,
) -> turns.Way:
  """The same by `generate`, so many rows of a question at a time.

  Raises:
    InputError: there is no such way, or it is for one length alone.
  """
  if way not in WAYS:
    raise errors.InputError(
      f"peers.ways has {way!r}; each must be one of {', '.join(WAYS)}"
    )
  if way == "continuous" and min(lengths) < max(lengths):
    raise errors.InputError(
      "peers.ways has 'continuous', which is raced at one length alone: set"
      " peers.lengths to ('fixed',)"
    )

  def run() -> float:
    return sum(
      peer.seconds(way, prompts, lengths[first : first + rows])
      for first in range(0, len(lengths), rows)
    )

  return run


def check(ours: Sequence[int], theirs: Sequence[int]) -> None:
  """Refuses to race two different models.

  Raises:
    InputError: their greedy tokens differ.
  """
  if list(ours) != list(theirs):
    raise errors.InputError(
      f"greedy tokens differ, {ours} here and {theirs} by transformers, so that"
      " a race would say nothing"
    )
  print(f"{len(ours)} greedy tokens agree", flush=True)
