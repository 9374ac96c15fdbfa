"""Tables of votes, listed and drawn, against every subset there is."""

import collections
import itertools
import math

import numpy as np
import pytest

from tts_jax.scaling import subsets

_SIZES = [
  np.array([1, 2, 4, 0]),
  np.array([3, 3]),
  np.array([7]),
  np.array([1, 1, 1, 1, 2]),
]


def _oracle(sizes, k):
  """{table: share of the subsets}, by listing the subsets."""
  owner = [group for group, size in enumerate(sizes) for _ in range(size)]
  found = collections.Counter(
    tuple(chosen.count(group) for group in range(len(sizes)))
    for chosen in itertools.combinations(owner, k)
  )
  total = math.comb(len(owner), k)
  return {table: number / total for table, number in found.items()}


@pytest.mark.parametrize("sizes", _SIZES)
@pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
def test_all_tables_are_those_of_all_subsets(sizes, k):
  expected = _oracle(sizes, k)
  tables, chance = subsets.all_tables(sizes, k)
  assert len(tables) == len(expected)
  for table, one in zip(tables, chance, strict=True):
    assert one == pytest.approx(expected[tuple(table)], abs=1e-12)


def test_chances_keep_their_digits_in_a_large_pool():
  sizes = np.array([1500, 548])
  tables, chance = subsets.all_tables(sizes, 700)
  for taken in (500, 513, 540):
    exact = (math.comb(1500, taken) * math.comb(548, 700 - taken)) / math.comb(
      2048, 700
    )
    found = chance[tables[:, 0] == taken]
    np.testing.assert_allclose(found, [exact], rtol=1e-9)


def test_too_many_tables_are_not_listed():
  assert subsets.all_tables(np.full(80, 25), 64) is None
  # Of the same groups, all samples can fall in one way.
  tables, chance = subsets.all_tables(np.full(80, 25), 2000)
  np.testing.assert_array_equal(tables, np.full((1, 80), 25))
  np.testing.assert_array_equal(chance, [1.0])


@pytest.mark.parametrize("k", [2, 5, 30])  # One by one, and group by group.
def test_drawn_tables_have_their_chances(k):
  sizes = np.array([1, 2, 57])
  tables, chance = subsets.all_tables(sizes, k)
  drawn = subsets.draw_tables(sizes, k, 20_000, [0])
  assert (drawn.sum(1) == k).all()
  found = collections.Counter(map(tuple, drawn.tolist()))
  for table, one in zip(tables.tolist(), chance, strict=True):
    share = found[tuple(table)] / 20_000
    assert abs(share - one) < 5 * math.sqrt(one * (1 - one) / 20_000) + 1e-9
  assert set(found) <= set(map(tuple, tables.tolist()))


def test_drawn_sums_are_those_of_all_subsets():
  weights = np.array([1.0, 2.0, 4.0, 8.0, 16.0])  # A sum tells its samples.
  draws = 20_000
  votes = np.tile(np.arange(6)[:, None], (1, draws))
  sums = subsets.draw_sums(weights, votes, np.random.default_rng(0))
  np.testing.assert_array_equal(sums[0], 0.0)
  np.testing.assert_array_equal(sums[5], 31.0)
  for k in range(1, 5):
    expected = [sum(one) for one in itertools.combinations(weights, k)]
    values, counts = np.unique(sums[k], return_counts=True)
    assert set(values) == set(expected)
    assert (np.diff(sums[k - 1 : k + 1], axis=0) > 0).all()
    share = 1 / len(expected)
    error = math.sqrt(share * (1 - share) / draws)
    assert np.abs(counts / draws - share).max() < 5 * error


def test_a_large_group_is_drawn_in_blocks():
  rng = np.random.default_rng(1)
  weights = rng.random(3000)
  votes = np.full((1, 200), 1500)
  sums = subsets.draw_sums(weights, votes, rng)
  error = weights.std() * math.sqrt(1500 / 2)
  assert abs(sums.mean() - 1500 * weights.mean()) < 5 * error / math.sqrt(200)
  assert len(np.unique(sums)) == 200


def test_equal_weights_need_no_order():
  votes = np.array([[0, 1, 3]])
  rng = np.random.default_rng(2)
  sums = subsets.draw_sums(np.full(3, 0.25), votes, rng)
  np.testing.assert_array_equal(sums, votes * 0.25)


def test_nearly_all_samples_of_many_groups_are_not_listed():
  # As many tables as leave 4 out as take 4, over two million.
  sizes = np.array([1] * 80 + [2, 3, 4, 5, 8, 12, 14])
  total = int(sizes.sum())
  for k in (4, total - 4):
    assert subsets.all_tables(sizes, k) is None
  few = np.array([1, 2, 3, 4])
  found, chance = subsets.all_tables(few, 8)
  left_out, other = subsets.all_tables(few, 2)
  assert sorted(map(tuple, few - found)) == sorted(map(tuple, left_out))
  np.testing.assert_allclose(np.sort(chance), np.sort(other))
