"""Ways of drawing the same samples, each at its turn."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import tqdm

from launch import shipping
from tts_jax import errors
from tts_jax.store import pool

Way = Callable[[], float]
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
) -> Way:
  """The same by `generate`, so many rows of a question at a time."""

  def run() -> float:
    return sum(
      peer.seconds(way, prompts, lengths[first : first + rows])
      for first in range(0, len(lengths), rows)
    )

  return run


def turns(ways: Mapping[str, Way], repeats: int) -> dict[str, np.ndarray]:
  """[repeats] seconds of each, A B A B, after a turn that is not counted."""
  found: dict[str, list[float]] = {name: [] for name in ways}
  for turn in tqdm.trange(repeats + 1, unit="turn", leave=False):
    for name, way in ways.items():
      took = way()
      if turn:
        found[name].append(took)
  return {name: np.array(times) for name, times in found.items()}


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
