"""A revision model's own chains as trajectories, at most five answers long.

The paper's ReST^EM variant takes a chain up to its first right answer. Short
ones abound, so of each length as many are taken as of the rarest. Beyond the
paper, a chain up to its last right answer: its context is as the model will
find it, right answers and wrong ones, so that it learns to keep as to mend.
"""

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tts_jax import errors
from tts_jax.store import shards
from tts_jax.store import trajectories as store
from tts_jax.verify import histories

MOST = 5


def up_to_first_right(
  chain: Sequence[Mapping[str, Any]], most: int = MOST
) -> dict[str, Any] | None:
  """A chain as a row of the store; None where it has no right answer in time.

  Args:
    chain: rows of `store.chains`, in the order of their turns.
    most: answers of a trajectory.
  """
  right = _right(chain, most)
  return _ending(chain, right[0]) if right else None


def up_to_last_right(
  chain: Sequence[Mapping[str, Any]], most: int = MOST
) -> dict[str, Any] | None:
  """As `up_to_first_right`, with what came between the two in the context."""
  right = _right(chain, most)
  return _ending(chain, right[-1]) if right else None


def _right(chain: Sequence[Mapping[str, Any]], most: int) -> list[int]:
  """Turns of the right answers among the first `most`."""
  return [
    turn for turn, row in enumerate(chain[:most]) if row["verdict"] == "correct"
  ]


def _ending(chain: Sequence[Mapping[str, Any]], end: int) -> dict[str, Any]:
  """The row of the store whose target is the answer of turn `end`."""
  # What was cut was shown to nobody.
  before = [row for row in chain[:end] if row["finished"]]
  return {
    "question_id": chain[end]["question_id"],
    "prompt": chain[end]["prompt"],
    "context": [row["tokens"] for row in before],
    "context_correct": [row["verdict"] == "correct" for row in before],
    "target": chain[end]["tokens"],
    "context_samples": [row["sample"] for row in before],
    "target_sample": chain[end]["sample"],
  }


def balanced(lengths: Sequence[int], *, seed: int) -> np.ndarray:
  """Places of as many trajectories of each length as there are of the rarest.

  Args:
    lengths: [M], of all trajectories.
    seed: of the choice among those of a length.

  Returns:
    Indices, ascending.
  """
  counts = collections.Counter(lengths)
  size = min(counts.values(), default=0)
  rng = np.random.default_rng(seed)
  every = np.asarray(lengths, np.int64)
  chosen = [
    rng.choice(np.flatnonzero(every == length), size, replace=False)
    for length in sorted(counts)
  ]
  return np.sort(np.concatenate([np.zeros(0, np.int64), *chosen]))


def fill(
  stage: shards.Stage,
  rows: pa.Table,
  *,
  batch: int,
  seed: int,
  natural: bool = False,
) -> Iterator[int]:
  """Builds the trajectories of the questions whose shards are not there yet.

  Args:
    stage: of a run, with `store.trajectories.SCHEMA`.
    rows: a run's chains, with at least `histories.COLUMNS`.
    batch: questions a shard.
    seed: of the choice among trajectories of a length.
    natural: all chains, up to their last right answers; False: ReST^EM.

  Yields:
    How many questions are left, after each shard.

  Raises:
    InputError: no chain has a right answer.
  """
  questions = list(histories.by_question(rows.to_pylist()))
  cut = up_to_last_right if natural else up_to_first_right
  found = [
    (index, made)
    for index, chains in enumerate(questions)
    for made in map(cut, chains)
    if made is not None
  ]
  if not found:
    raise errors.InputError(
      "no chain has a right answer among its first"
      f" {MOST}; there is nothing to learn from them"
    )
  chosen: Iterable[int] = range(len(found))
  if not natural:
    chosen = balanced([len(made["context"]) for _, made in found], seed=seed)
  by_shard: dict[int, list[dict[str, Any]]] = {}
  for place in chosen:
    index, made = found[place]
    by_shard.setdefault(index // batch, []).append(made)
  numbers = range(-(-len(questions) // batch))
  todo = [number for number in numbers if number not in stage.done()]
  for number in todo:
    mine = by_shard.get(number, [])
    stage.write(number, pa.Table.from_pylist(mine, store.SCHEMA))
    yield sum(
      len(questions[later * batch : (later + 1) * batch])
      for later in todo
      if later > number
    )


def count(chains: pa.Table, *, natural: bool = False) -> dict[str, int]:
  """What chains offer `fill`: questions, chains, and trajectories by length."""
  cut = up_to_last_right if natural else up_to_first_right
  total = collections.Counter[str]()
  for question in histories.by_question(chains.to_pylist()):
    total["questions"] += 1
    for chain in question:
      made = cut(chain)
      total["chains"] += 1
      if made is None:
        total["without_correct"] += 1
      else:
        total[f"of_{len(made['context']) + 1}"] += 1
  return dict(sorted(total.items()))
