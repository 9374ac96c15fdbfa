"""Packed batches of prompts and completions."""

from collections.abc import Callable, Iterator, Sequence

import chex
import flax.struct
import numpy as np

from tts_jax import errors

Tokens = Sequence[int] | np.ndarray


@flax.struct.dataclass(kw_only=True)
class Batch:
  """Rows of several items each; attention stays inside an item.

  Attributes:
    tokens: [B, T] int32, what is read.
    targets: [B, T] int32, the token that follows.
    weights: [B, T] float32, what a target's loss counts for; 0 is padding.
    positions: [B, T] int32, place inside the item.
    segments: [B, T] int32, number of the item in its row from 1; 0 is padding.
  """

  tokens: chex.ArrayNumpy
  targets: chex.ArrayNumpy
  weights: chex.ArrayNumpy
  positions: chex.ArrayNumpy
  segments: chex.ArrayNumpy


def empty(rows: int, length: int) -> Batch:
  """A batch of padding, [rows, length]."""

  def zeros(dtype: type) -> np.ndarray:
    return np.zeros((rows, length), dtype)

  return Batch(
    tokens=zeros(np.int32),
    targets=zeros(np.int32),
    weights=zeros(np.float32),
    positions=zeros(np.int32),
    segments=zeros(np.int32),
  )


def _put(
  batch: Batch,
  row: int,
  start: int,
  prompt: Tokens,
  completion: Tokens,
  prompt_weight: float | np.ndarray,
) -> int:
  """Writes an item into a row from `start` on; returns where it ends."""
  tokens = [*prompt, *completion]
  size = len(tokens) - 1
  place = np.s_[row, start : start + size]
  batch.tokens[place] = tokens[:-1]
  batch.targets[place] = tokens[1:]
  batch.weights[place] = 1.0
  batch.weights[row, start : start + len(prompt) - 1] = prompt_weight
  batch.positions[place] = np.arange(size)
  batch.segments[place] = batch.segments[row].max() + 1
  return start + size


def packed(
  items: Iterator[tuple[int, Tokens, Tokens]],
  *,
  rows: int,
  length: int,
  prompt_weight: float | Callable[[int], np.ndarray],
) -> Iterator[tuple[int, Batch]]:
  """Packs items, in order, each into the first row that has room for it.

  Args:
    items: (index, prompt tokens, completion tokens with the end token), in
      rising order of the index.
    rows: B.
    length: T. A longer item is an error.
    prompt_weight: what the loss on a prompt token counts for, beside 1 for a
      token of the completion; or, from an item's index, on each token of its
      prompt but the first.

  Yields:
    (next index, batch): the stream starts again at `next index` without losing
    or repeating an item. A last batch that is not full is yielded too.

  Raises:
    InputError: an item does not fit a row.
  """
  batch, ends = empty(rows, length), [0] * rows
  for index, prompt, completion in items:
    size = len(prompt) + len(completion) - 1
    if size > length:
      raise errors.InputError(
        f"item {index}: {size + 1} tokens do not fit rows of {length}; "
        "raise config.data.length"
      )
    row = next((r for r in range(rows) if ends[r] + size <= length), None)
    if row is None:
      yield index, batch
      batch, ends, row = empty(rows, length), [0] * rows, 0
    weight = prompt_weight(index) if callable(prompt_weight) else prompt_weight
    ends[row] = _put(batch, row, ends[row], prompt, completion, weight)
  if any(ends):
    yield index + 1, batch
