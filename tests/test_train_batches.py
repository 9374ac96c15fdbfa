import itertools

import numpy as np
import pytest

from tts_jax import errors
from tts_jax.train import batches


def _items(count, seed=0, longest=7):
  generator = np.random.default_rng(seed)
  for index in range(count):
    prompt = generator.integers(1, 50, generator.integers(1, longest))
    completion = generator.integers(50, 99, generator.integers(1, longest))
    # Items dropped at the source leave gaps in the index.
    yield 3 * index, prompt.tolist(), completion.tolist()


def _unpack(batch):
  """Every item of a batch as (tokens, weights), row by row."""
  found = []
  for row in range(batch.tokens.shape[0]):
    for segment in range(1, batch.segments[row].max() + 1):
      mask = batch.segments[row] == segment
      tokens = batch.tokens[row, mask].tolist()
      tokens.append(int(batch.targets[row, mask][-1]))
      assert tokens[1:] == batch.targets[row, mask].tolist()
      assert batch.positions[row, mask].tolist() == list(range(mask.sum()))
      found.append((tokens, batch.weights[row, mask].tolist()))
  return found


def test_every_item_is_packed_once_and_whole():
  packed = list(
    batches.packed(_items(100), rows=4, length=24, prompt_weight=0.25)
  )
  found = sorted(item for _, batch in packed for item in _unpack(batch))
  expected = sorted(
    (
      [*prompt, *completion],
      [0.25] * (len(prompt) - 1) + [1.0] * len(completion),
    )
    for _, prompt, completion in _items(100)
  )
  assert found == expected
  assert len(packed) > 3


def test_padding_weighs_nothing():
  _, batch = next(
    batches.packed(_items(3), rows=4, length=24, prompt_weight=0.5)
  )
  assert (batch.weights[batch.segments == 0] == 0).all()
  assert (batch.segments == 0).any()


def test_the_stream_starts_again_between_batches():
  whole = list(
    batches.packed(_items(100), rows=4, length=24, prompt_weight=0.0)
  )
  index, _ = whole[1]
  rest = (item for item in _items(100) if item[0] >= index)
  again = list(batches.packed(rest, rows=4, length=24, prompt_weight=0.0))
  assert len(again) == len(whole) - 2
  for (_, left), (_, right) in zip(whole[2:], again, strict=True):
    np.testing.assert_array_equal(left.tokens, right.tokens)
    np.testing.assert_array_equal(left.segments, right.segments)


def test_rows_are_filled():
  stream = batches.packed(_items(2000), rows=8, length=64, prompt_weight=0.0)
  for _, batch in itertools.islice(stream, 10):
    assert (batch.segments > 0).mean() > 0.9


def test_an_item_too_long_is_named():
  items = iter([(7, [1] * 10, [2] * 10)])
  with pytest.raises(errors.InputError, match="item 7: 20 tokens do not fit"):
    list(batches.packed(items, rows=2, length=18, prompt_weight=0.0))


def test_an_item_of_exactly_a_row_fits():
  items = iter([(0, [1] * 10, [2] * 9)])
  ((after, batch),) = batches.packed(
    items, rows=2, length=18, prompt_weight=0.0
  )
  assert after == 1
  assert (batch.segments[0] == 1).all()


def test_each_token_of_a_prompt_may_have_a_weight_of_its_own():
  items = [(3, [1, 2, 3], [4, 5]), (5, [6, 7], [8])]
  weights = {3: np.array([0.5, 0.0]), 5: np.array([2.0])}
  ((following, batch),) = batches.packed(
    iter(items), rows=1, length=8, prompt_weight=weights.pop
  )
  assert following == 6
  assert batch.weights[0].tolist() == [0.5, 0.0, 1.0, 1.0, 2.0, 1.0, 0.0, 0.0]
  assert not weights
