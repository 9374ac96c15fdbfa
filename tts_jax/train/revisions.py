"""What a revision model trains on: trajectories, with loss on the last answer.

Item `u` of the stream is trajectory `u` of a shuffled pass over all of them; it
depends on `u` and the seed alone, so that a run that was killed goes on with
the very batches that it would have had.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tts_jax import errors, storage
from tts_jax.store import trajectories as store
from tts_jax.train import batches
from tts_jax.verify import saved


def stream(
  trajectories: Sequence[store.Trajectory],
  *,
  rows: int,
  length: int,
  context_tokens: int,
  every_right: bool = False,
  first_drawn: bool = False,
  seed: int,
) -> Callable[[int], Iterator[tuple[int, batches.Batch]]]:
  """Batches from any item on, for `loop.run`, without end.

  Args:
    trajectories: at least one.
    rows: B.
    length: T.
    context_tokens: most tokens of answers before the last one.
    every_right: loss on right answers in the context too: the trajectories that
      end with them cost nothing more.
    first_drawn: with `every_right`, on the context's first answer too, right or
      wrong: what the model answers first stays what the base model would, where
      contexts are natural.
    seed: of the order.

  Returns:
    A function from the index of an item to (next index, batch).
  """

  def order(index: int) -> Iterator[int]:
    for epoch in itertools.count(index // len(trajectories)):
      rng = np.random.default_rng([seed, epoch])
      start = max(index - epoch * len(trajectories), 0)
      yield from rng.permutation(len(trajectories))[start:]

  return lambda index: _packed(
    zip(itertools.count(index), map(trajectories.__getitem__, order(index))),
    rows=rows,
    length=length,
    context_tokens=context_tokens,
    every_right=every_right,
    first_drawn=first_drawn,
  )


def held_out(
  trajectories: Sequence[store.Trajectory], *, most: int, **layout: Any
) -> list[batches.Batch]:
  """Batches of validation: `most` trajectories, evenly spaced, or all.

  Args:
    trajectories: at least one.
    most: how many.
    **layout: as of `stream`.

  Raises:
    InputError: `most` is below 1.
  """
  if most < 1:
    raise errors.InputError(f"validation is {most}; it must be at least 1")
  chosen = trajectories[:: -(-len(trajectories) // most)]
  return [batch for _, batch in _packed(enumerate(chosen), **layout)]


def _packed(
  trajectories: Iterable[tuple[int, store.Trajectory]],
  *,
  rows: int,
  length: int,
  context_tokens: int,
  every_right: bool = False,
  first_drawn: bool = False,
) -> Iterator[tuple[int, batches.Batch]]:
  """Batches of (index, trajectory), in their order."""
  weights: dict[int, np.ndarray] = {}

  def items() -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    for index, one in trajectories:
      if every_right:
        learned = one.learned(context_tokens, first=first_drawn)
        weights[index] = learned[1:].astype(np.float32)
      yield index, one.read(context_tokens), one.target

  return batches.packed(
    items(),
    rows=rows,
    length=length,
    prompt_weight=weights.pop if every_right else 0.0,
  )


def load(
  train: str, held_out: str, made_for: saved.Origin
) -> tuple[list[store.Trajectory], list[store.Trajectory]]:
  """Loads what to train and to validate on: two runs that built trajectories.

  Args:
    train: folder of a run.
    held_out: folder of another, of other questions.
    made_for: the base model and its tokenizer, which must have drawn them.

  Raises:
    InputError: as `store.trajectories.load_trajectories`; a run has none, or
      they are of another tokenizer or model; the two share a question.
  """
  both = []
  for folder in (train, held_out):
    found = store.load_trajectories(folder)
    saved.check_origin(storage.at(folder) / store.SUMMARY, made_for)
    if not found:
      raise errors.InputError(f"{folder}: it holds no trajectory")
    both.append(found)
  seen = {tuple(one.prompt): one.question_id for one in both[0]}
  for one in both[1]:
    if (other := seen.get(tuple(one.prompt))) is not None:
      raise errors.InputError(
        f"held-out question {one.question_id!r} is training question"
        f" {other!r}; build trajectories of another split"
      )
  return both[0], both[1]
