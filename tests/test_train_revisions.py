"""What a revision model trains on, against plain loops."""

import itertools

import jax
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.store import run
from tts_jax.store import trajectories as store
from tts_jax.train import revisions
from tts_jax.verify import saved

_LAYOUT = dict(rows=3, length=64, context_tokens=12)


def _trajectories(count, seed=0):
  """Of each another token for each of its parts, so that all can be told."""
  rng = np.random.default_rng(seed)
  made = []
  for index in range(count):
    sizes = rng.integers(1, 7, rng.integers(5))
    made.append(
      store.Trajectory(
        question_id=f"q{index}",
        prompt=np.full(rng.integers(2, 6), 1000 + index, np.int32),
        context=tuple(
          np.full(size, 10 * index + place, np.int32)
          for place, size in enumerate(sizes)
        ),
        context_correct=tuple(rng.random(len(sizes)) < 0.5),
        target=np.full(rng.integers(1, 7), 2000 + index, np.int32),
      )
    )
  return made


def _expected(one, context_tokens, every_right, first_drawn=False):
  """(tokens, weights of all but the first), by the definition."""
  learned = [every_right and right for right in one.context_correct]
  if every_right and first_drawn and learned:
    learned[0] = True
  shown = list(zip(one.context, learned, strict=True))
  while sum(len(answer) for answer, _ in shown) > context_tokens:
    shown.pop(0)
  tokens = [int(token) for token in one.prompt]
  weights = [0.0] * len(tokens)
  for answer, right in shown:
    tokens += [int(token) for token in answer]
    weights += [float(right)] * len(answer)
  tokens += [int(token) for token in one.target]
  weights += [1.0] * len(one.target)
  return tokens, weights[1:]


def _unpacked(batch):
  """Each item of a batch as (tokens, weights), row by row."""
  found = []
  for row in range(len(batch.tokens)):
    for segment in range(1, batch.segments[row].max() + 1):
      here = batch.segments[row] == segment
      tokens = [*batch.tokens[row, here], batch.targets[row, here][-1]]
      assert tokens[1:] == batch.targets[row, here].tolist()
      # The context stands between prompt and answer, as in a chain.
      assert batch.positions[row, here].tolist() == list(range(here.sum()))
      found.append((tokens, batch.weights[row, here].tolist()))
  return found


def _first(count, batches):
  """The first items of a stream whose batches have one row."""
  items = (item for _, batch in batches for item in _unpacked(batch))
  return list(itertools.islice(items, count))


@pytest.mark.parametrize(
  ("every_right", "first_drawn"),
  [(False, False), (False, True), (True, False), (True, True)],
)
def test_what_the_loss_is_on(every_right, first_drawn):
  made = _trajectories(40)
  settings = dict(every_right=every_right, first_drawn=first_drawn)
  layout = dict(_LAYOUT, rows=1, **settings)
  found = _first(40, revisions.stream(made, seed=1, **layout)(0))
  expected = [_expected(one, 12, **settings) for one in made]
  assert sorted(found, key=lambda item: item[0][0]) == expected
  # Some contexts are cut short, and some are shown to the end.
  cut = [one.shown(12) < len(one.context) for one in made if one.context]
  assert 0 < sum(cut) < len(cut)


def test_each_pass_has_an_order_of_its_own():
  made = _trajectories(30)
  layout = dict(_LAYOUT, rows=1)
  orders = [
    [tokens[0] - 1000 for tokens, _ in _first(60, stream(0))]
    for stream in (
      revisions.stream(made, seed=1, **layout),
      revisions.stream(made, seed=2, **layout),
    )
  ]
  passes = [orders[0][:30], orders[0][30:], orders[1][:30]]
  assert [sorted(one) for one in passes] == [list(range(30))] * 3
  assert len(set(map(tuple, passes))) == 3


def test_the_stream_goes_on_anywhere():
  stream = revisions.stream(
    _trajectories(30), seed=1, every_right=True, **_LAYOUT
  )
  whole = list(itertools.islice(stream(0), 20))
  for at in (3, 11):
    again = itertools.islice(stream(whole[at][0]), 20 - at - 1)
    for (left, one), (right, other) in zip(whole[at + 1 :], again, strict=True):
      assert left == right
      jax.tree.map(np.testing.assert_array_equal, one, other)


def test_validation_is_evenly_spaced():
  made = _trajectories(30)
  for most, expected in ((30, 30), (15, 15), (10, 10), (7, 6), (99, 30)):
    batches = revisions.held_out(made, most=most, **_LAYOUT)
    found = [item for batch in batches for item in _unpacked(batch)]
    assert len(found) == expected
  with pytest.raises(errors.InputError, match="validation is 0"):
    revisions.held_out(made, most=0, **_LAYOUT)


def test_an_answer_longer_than_the_rows_is_said():
  made = _trajectories(3)
  layout = dict(_LAYOUT, length=6)
  with pytest.raises(errors.InputError, match="do not fit rows of 6"):
    list(itertools.islice(revisions.stream(made, seed=0, **layout)(0), 9))


def test_an_answer_longer_than_the_context_hides_all_before_it():
  one = _trajectories(1)[0]
  answers = tuple(np.full(size, size, np.int32) for size in (2, 13, 3))
  one = store.Trajectory(
    question_id="q",
    prompt=one.prompt,
    context=answers,
    context_correct=(True, True, False),
    target=one.target,
  )
  assert one.shown(12) == 1
  assert one.read(12).tolist() == [*one.prompt, 3, 3, 3]
  assert not one.learned(12).any()
  assert one.shown(2) == 0


def test_a_run_without_trajectories_is_named(tmp_path):
  origin = saved.Origin(tokenizer="t", model="m")
  with run.Run.open(tmp_path / "none", {}) as folder:
    stage = folder.stage(store.STAGE, store.SCHEMA, "inputs")
    stage.write(0, store.SCHEMA.empty_table())
    folder.write_json(
      store.SUMMARY, {"origin": {"tokenizer": "t", "model": "m"}}
    )
  with pytest.raises(errors.InputError, match="none: it holds no trajectory"):
    revisions.load(str(tmp_path / "none"), str(tmp_path / "none"), origin)
