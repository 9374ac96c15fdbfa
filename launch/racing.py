"""Other programs as ways of drawing the same samples."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from launch import shipping, turns
from tts_jax import errors
from tts_jax.store import pool

_POOL = shipping.FOLDER / f"{pool.STAGE}.parquet"


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
  """The same by `generate`, so many rows of a question at a time."""

  def run() -> float:
    return sum(
      peer.seconds(way, prompts, lengths[first : first + rows])
      for first in range(0, len(lengths), rows)
    )

  return run


def line(one: Mapping[str, Any]) -> str:
  """What came of one shape."""
  rates = ", ".join(
    f"{name} {rate['median']:,.0f}"
    for name, rate in one["tokens_per_second"].items()
  )
  return (
    f"{one['questions']} x {one['rows']} rows, {one['lengths']} lengths:"
    f" {one['times_faster']:.2f} times {one['best_peer']}; tokens/s: {rates}"
  )


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
