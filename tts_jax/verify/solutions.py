"""Solutions packed for reading: one prompt, then its completions as branches.

A completion costs its own tokens and no more: those of its question stand
behind one copy of the prompt and do not see each other. They are aligned as
rows of the decode loop are: the prompt without its last token, then for each
completion a segment that begins with that token.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import chex
import flax.struct
import numpy as np

from tts_jax import errors


@flax.struct.dataclass(kw_only=True)
class Batch:
  """Rows of packed solutions.

  Attributes:
    tokens: [B, T] int32, 0 in the padding.
    drawn: [B, T] int32, the token that follows each.
    positions: [B, T] int32, from the prompt's start.
    segments: [B, T] int32, 0 in the padding; prompts and completions from 1.
    parents: [B, T] int32, a completion's prompt; a prompt's is its own.
    labels: [B, T] float32 in [0, 1], where `weights` is above 0.
    weights: [B, T] float32, 1 where a labelled step ends.
    worked: [B, T] float32, 1 where what is drawn is a token of a worked
      solution, from which a language model may learn.
  """

  tokens: chex.Array
  drawn: chex.Array
  positions: chex.Array
  segments: chex.Array
  parents: chex.Array
  labels: chex.Array
  weights: chex.Array
  worked: chex.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class Solution:
  """A completion to be read.

  Attributes:
    tokens: its tokens, the end token included; at least one.
    step_end: index past the last token of each step, ascending.
    labels: one a step, in [0, 1]; None for a solution without.
    worked: it is a worked solution of the task, not a sample.
  """

  tokens: Sequence[int] | np.ndarray
  step_end: Sequence[int] | np.ndarray
  labels: Sequence[float] | np.ndarray | None = None
  worked: bool = False


@dataclasses.dataclass(frozen=True)
class Place:
  """Where a solution came to stand.

  Attributes:
    row: of the batch.
    start: its first slot in the row; slot `start + i` draws its token `i`.
    index: the solution's place in the stream.
  """

  row: int
  start: int
  index: int


Prompt = Sequence[int] | np.ndarray
Question = tuple[Prompt, Sequence[Solution]]


@dataclasses.dataclass(frozen=True)
class _Cursor:
  """Where packing stands: the free slot, and the prompt that leads there.

  Attributes:
    row: of the batch.
    used: slots of the row that are taken.
    segment: the last one of the row.
    parent: the segment of the prompt whose completions may follow; 0: none.
  """

  row: int = 0
  used: int = 0
  segment: int = 0
  parent: int = 0


class Packer:
  """A batch in the making.

  Attributes:
    batch: numpy arrays, filled in place.
    places: of the solutions put in so far.
  """

  def __init__(self, rows: int, length: int) -> None:
    """An empty batch of `rows` x `length`, each at least 1, or InputError."""
    if rows < 1 or length < 1:
      raise errors.InputError(
        f"a batch of {rows} rows of {length} tokens holds nothing; both must be"
        " at least 1"
      )
    shape = (rows, length)
    ints = ("tokens", "drawn", "positions", "segments", "parents")
    fields = {name: np.zeros(shape, np.int32) for name in ints}
    reals = ("labels", "weights", "worked")
    fields |= {name: np.zeros(shape, np.float32) for name in reals}
    self.batch = Batch(**fields)
    self.places: list[Place] = []
    self._cursor = _Cursor()
    self._prompt: Prompt | None = None

  def add(self, questions: Sequence[Question], index: int) -> bool:
    """Puts questions in, all of their solutions or none.

    A question goes on in the next row, behind another copy of its prompt,
    where its row is full; and one whose prompt is the very object that was put
    in last goes on behind it.

    Args:
      questions: (prompt, its solutions).
      index: of the first solution in the stream.

    Returns:
      Whether there was room.

    Raises:
      InputError: a prompt and a completion have more than T tokens together.
    """
    cursor, last = self._cursor, self._prompt
    steps: list[tuple[_Cursor, Prompt, Solution]] = []
    for prompt, mine in questions:
      if prompt is not last:
        cursor, last = dataclasses.replace(cursor, parent=0), prompt
      for solution in mine:
        sizes = len(prompt) - 1, len(solution.tokens)
        after = self._step(cursor, *sizes, index + len(steps))
        if after.row == len(self.batch.tokens):
          return False
        steps.append((after, prompt, solution))
        cursor = after
    before = self._cursor
    for after, prompt, solution in steps:
      start = after.used - len(solution.tokens)
      if (after.row, after.parent) != (before.row, before.parent):
        self._put_prompt(after, start - len(prompt) + 1, prompt)
      self._put_solution(after, start, prompt, solution)
      self.places.append(Place(row=after.row, start=start, index=index))
      before, index = after, index + 1
    self._cursor, self._prompt = cursor, last
    return True

  def _step(self, cursor: _Cursor, head: int, size: int, index: int) -> _Cursor:
    """The cursor past a solution, of `size` tokens behind `head` of prompt."""
    length = self.batch.tokens.shape[1]
    if head + size > length:
      raise errors.InputError(
        f"solution {index} has {head + size} tokens with its prompt; a row has"
        f" room for {length}"
      )
    lead = 0 if cursor.parent else head
    if cursor.used + lead + size > length:
      cursor, lead = _Cursor(row=cursor.row + 1), head
    parent = cursor.parent or cursor.segment + 1
    return _Cursor(
      row=cursor.row,
      used=cursor.used + lead + size,
      segment=max(parent, cursor.segment) + 1,
      parent=parent,
    )

  def _put_prompt(self, cursor: _Cursor, start: int, prompt: Prompt) -> None:
    here = (cursor.row, slice(start, start + len(prompt) - 1))
    self.batch.tokens[here] = prompt[:-1]
    self.batch.drawn[here] = prompt[1:]
    self.batch.positions[here] = np.arange(len(prompt) - 1)
    self.batch.segments[here] = self.batch.parents[here] = cursor.parent

  def _put_solution(
    self,
    cursor: _Cursor,
    start: int,
    prompt: Prompt,
    solution: Solution,
  ) -> None:
    size, head = len(solution.tokens), len(prompt) - 1
    here = (cursor.row, slice(start, start + size))
    self.batch.tokens[here] = [prompt[-1], *solution.tokens[:-1]]
    self.batch.drawn[here] = solution.tokens
    self.batch.positions[here] = np.arange(head, head + size)
    self.batch.segments[here] = cursor.segment
    self.batch.parents[here] = cursor.parent
    self.batch.worked[here] = solution.worked
    if solution.labels is not None:
      ends = start + np.asarray(solution.step_end, np.int64) - 1
      self.batch.labels[cursor.row, ends] = solution.labels
      self.batch.weights[cursor.row, ends] = 1.0


def packed(
  questions: Iterable[Question], *, rows: int, length: int
) -> Iterator[tuple[Batch, list[Place]]]:
  """Packs questions, in their order, into batches of one shape.

  Args:
    questions: (prompt, its solutions); solutions are counted along the stream.
    rows: B.
    length: T.

  Yields:
    (batch of numpy arrays, the places of its solutions); the last is padded.

  Raises:
    InputError: a prompt and a completion have more than T tokens together.
  """
  packer, index = Packer(rows, length), 0
  for prompt, mine in questions:
    for solution in mine:
      if not packer.add([(prompt, [solution])], index):
        yield packer.batch, packer.places
        packer = Packer(rows, length)
        packer.add([(prompt, [solution])], index)
      index += 1
  if packer.places:
    yield packer.batch, packer.places
