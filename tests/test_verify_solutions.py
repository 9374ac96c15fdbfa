"""Packing of solutions, against loops that lay out a slot at a time."""

import numpy as np
import pytest

from tts_jax import errors
from tts_jax.verify import solutions

_FIELDS = (
  *("tokens", "drawn", "positions", "segments", "parents"),
  *("labels", "weights", "worked"),
)


def _solution(tokens, step_end=None, labels=None, worked=False):
  return solutions.Solution(
    tokens=tokens,
    step_end=step_end or [len(tokens)],
    labels=labels,
    worked=worked,
  )


def _random_questions(seed, count=6):
  rng = np.random.default_rng(seed)
  made = []
  for _ in range(count):
    mine = []
    for _ in range(rng.integers(0, 5)):
      size = int(rng.integers(1, 7))
      inner = np.flatnonzero(rng.random(size - 1) < 0.4) + 1
      ends = [*inner.tolist(), size]
      kind = rng.integers(0, 3)  # Labelled, worked, or neither.
      mine.append(
        _solution(
          rng.integers(1, 50, size).tolist(),
          ends,
          rng.random(len(ends)).tolist() if kind == 0 else None,
          bool(kind == 1),
        )
      )
    made.append((rng.integers(50, 99, rng.integers(1, 6)).tolist(), mine))
  return made


def _by_hand(questions, rows, length):
  """Batches of lists of slots, and (batch, row, start) of each solution."""
  batches, places = [[[]]], []
  for prompt, mine in questions:
    parent = None
    for one in mine:
      line = batches[-1][-1]
      lead = 0 if parent else len(prompt) - 1
      if len(line) + lead + len(one.tokens) > length:
        if len(batches[-1]) == rows:
          batches.append([])
        line, parent = [], None
        batches[-1].append(line)
      if parent is None:
        parent = 1 + max((slot["segments"] for slot in line), default=0)
        # A prompt of one token has no slot of its own, but takes its number.
        last = parent
        for i in range(len(prompt) - 1):
          slot = dict.fromkeys(_FIELDS, 0)
          slot.update(tokens=prompt[i], drawn=prompt[i + 1], positions=i)
          slot.update(segments=parent, parents=parent)
          line.append(slot)
      last += 1
      places.append((len(batches) - 1, len(batches[-1]) - 1, len(line)))
      labels = {}
      if one.labels is not None:
        labels = dict(zip(one.step_end, one.labels, strict=True))
      before = prompt[-1]
      for i, token in enumerate(one.tokens):
        slot = dict(tokens=before, drawn=token, positions=len(prompt) - 1 + i)
        slot.update(segments=last, parents=parent, worked=float(one.worked))
        slot.update(labels=labels.get(i + 1, 0.0), weights=i + 1 in labels)
        line.append(slot)
        before = token
  return batches, places


@pytest.mark.parametrize("seed", range(20))
def test_packing_is_that_of_plain_loops(seed):
  questions = _random_questions(seed)
  want, want_places = _by_hand(questions, 2, 12)
  found = list(solutions.packed(questions, rows=2, length=12))
  assert len(found) == len(want)
  for (batch, _), rows in zip(found, want, strict=True):
    for name in _FIELDS:
      grid = np.zeros((2, 12))
      for r, line in enumerate(rows):
        grid[r, : len(line)] = [slot[name] for slot in line]
      np.testing.assert_array_equal(
        getattr(batch, name), grid.astype(getattr(batch, name).dtype), name
      )
  places = [(b, p) for b, (_, places) in enumerate(found) for p in places]
  assert [(b, p.row, p.start) for b, p in places] == want_places
  assert [p.index for _, p in places] == list(range(len(places)))
  assert len(want) > 1


def test_a_solution_sees_its_prompt_and_itself_alone():
  questions = _random_questions(3)
  every = [(prompt, one) for prompt, mine in questions for one in mine]
  for batch, places in solutions.packed(questions, rows=3, length=14):
    for place in places:
      prompt, one = every[place.index]
      row, end = place.row, place.start + len(one.tokens)
      segments, parents = batch.segments[row], batch.parents[row]
      seen = [
        t
        for t in range(end)
        if segments[t] in (segments[end - 1], parents[end - 1])
      ]
      whole = [*prompt, *one.tokens]
      assert batch.tokens[row, seen].tolist() == whole[:-1]
      assert batch.drawn[row, seen].tolist() == whole[1:]
      assert batch.positions[row, seen].tolist() == list(range(len(whole) - 1))


def test_the_same_prompt_goes_on_behind_itself():
  prompt = [1, 2, 3]
  packer = solutions.Packer(1, 16)
  assert packer.add([(prompt, [_solution([4, 5])])], 0)
  assert packer.add([(prompt, [_solution([6])])], 1)
  # An equal prompt that is another object is another question's.
  assert packer.add([(list(prompt), [_solution([7])])], 2)
  assert packer.batch.tokens[0, :8].tolist() == [1, 2, 3, 4, 3, 1, 2, 3]
  assert packer.batch.segments[0, :9].tolist() == [1, 1, 2, 2, 3, 4, 4, 5, 0]
  assert packer.batch.parents[0, :9].tolist() == [1, 1, 1, 1, 1, 4, 4, 4, 0]
  assert [place.index for place in packer.places] == [0, 1, 2]


def test_a_full_row_goes_on_in_the_next_behind_a_copy():
  packer = solutions.Packer(2, 6)
  assert packer.add([([1, 2, 3], [_solution([4, 5, 6]), _solution([7, 8])])], 0)
  np.testing.assert_array_equal(
    packer.batch.tokens, [[1, 2, 3, 4, 5, 0], [1, 2, 3, 7, 0, 0]]
  )
  np.testing.assert_array_equal(
    packer.batch.segments, [[1, 1, 2, 2, 2, 0], [1, 1, 2, 2, 0, 0]]
  )
  assert packer.places == [solutions.Place(0, 2, 0), solutions.Place(1, 2, 1)]


def test_all_of_what_is_added_goes_in_or_nothing():
  packer = solutions.Packer(1, 8)
  assert packer.add([([1, 2], [_solution([3, 4], [1, 2], [0.5, 1.0])])], 0)
  before = {name: getattr(packer.batch, name).copy() for name in _FIELDS}
  # The first of these two would fit.
  late = [
    ([5, 6], [_solution([7], [1], [1.0])]),
    ([8, 9], [_solution([1] * 4)]),
  ]
  assert not packer.add(late, 1)
  for name, array in before.items():
    np.testing.assert_array_equal(getattr(packer.batch, name), array)
  assert len(packer.places) == 1
  assert packer.add(late[:1], 1)
  assert packer.places[1] == solutions.Place(row=0, start=4, index=1)


def test_labels_stand_where_steps_end_and_nowhere_else():
  question = (
    [9, 9, 9],
    [
      _solution([1, 2, 3, 4], [2, 4], [0.25, 0.0]),
      _solution([5, 6], [1, 2], worked=True),
      _solution([7, 8], [1, 2]),
    ],
  )
  [(batch, _)] = solutions.packed([question], rows=1, length=11)
  zeros = [0, 0]
  assert batch.weights[0].tolist() == [*zeros, 0, 1, 0, 1, 0, 0, 0, 0, 0]
  assert batch.labels[0].tolist() == [*zeros, 0, 0.25, *[0] * 7]
  assert batch.worked[0].tolist() == [*zeros, 0, 0, 0, 0, 1, 1, 0, 0, 0]


def test_a_solution_that_no_row_holds_is_named():
  long = ([1, 2, 3], [_solution([4]), _solution([5] * 7)])
  with pytest.raises(
    errors.InputError,
    match="solution 1 has 9 tokens with its prompt; a row has room for 8",
  ):
    list(solutions.packed([long], rows=2, length=8))
  # One token less fits.
  [(_, places)] = solutions.packed([long], rows=2, length=9)
  assert len(places) == 2


@pytest.mark.parametrize(("rows", "length"), [(0, 8), (2, 0), (2, -1)])
def test_a_batch_that_holds_nothing_is_refused(rows, length):
  question = ([1, 2], [_solution([3])])
  with pytest.raises(errors.InputError, match="both must be at least 1"):
    list(solutions.packed([question], rows=rows, length=length))
