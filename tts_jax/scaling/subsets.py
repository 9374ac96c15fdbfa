"""Votes of subsets: how many of a subset's samples state each answer.

A pool's samples fall into groups, one for each answer and one for those without
any. A vote reads of a subset only how many it has of each group, its *table*,
so tables are what is listed or drawn, never orders of the whole pool. Drawing
`k` samples without replacement gives a table the multivariate hypergeometric
chance.

`G` groups, of which subsets of different `k` are drawn independently: they are
not nested.
"""

from collections.abc import Sequence

import chex
import numpy as np

# Numbers in memory at a time, 2 MB: tables are listed where they have no more
# in all, and a group's orders drawn so many at once.
_CELLS = 2**18
# Drawing takes the time of k samples one by one, or of so many a group.
_SAMPLES_A_GROUP = 8


def tables(
  sizes: np.ndarray, k: int, draws: int, key: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
  """Tables of k samples with their chances: all of them, or else drawn ones.

  Args:
    sizes: [G] samples of each group.
    k: at most their sum.
    draws: how many to draw where there are too many to be listed.
    key: seeds them.

  Returns:
    Tables [B, G] and their chances [B], which add up to 1.
  """
  found = all_tables(sizes, k)
  if found is not None:
    return found
  return draw_tables(sizes, k, draws, key), np.full(draws, 1 / draws)


def all_tables(
  sizes: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray] | None:
  """Every table of k samples with its chance, if there are few of them.

  Args:
    sizes: [G] samples of each group.
    k: at most their sum.

  Returns:
    Tables [B, G] and their chances [B], which add up to 1; None where the
    tables would be too many to be listed.
  """
  groups = len(sizes)
  if _number_of_tables(sizes, k) * groups > _CELLS:
    return None
  # Group by group, every partial table leads to at least one whole.
  left, rest = np.array([k]), int(np.sum(sizes))
  parents, taken = [], []
  for size in sizes:
    rest -= size
    low = np.maximum(left - rest, 0)
    ways = np.minimum(left, size) - low + 1
    parent = np.repeat(np.arange(len(left)), ways)
    first = np.cumsum(ways) - ways
    take = np.arange(len(parent)) + (low - first)[parent]
    left = left[parent] - take
    parents.append(parent)
    taken.append(take)
  found = np.empty((len(left), groups), np.int64)
  place = np.arange(len(left))
  for group in reversed(range(groups)):
    found[:, group] = taken[group][place]
    place = parents[group][place]
  logarithm = _log_factorials(int(np.max(sizes)))
  logarithms = logarithm[sizes] - logarithm[found] - logarithm[sizes - found]
  likely = logarithms.sum(1)
  chance = np.exp(likely - likely.max())
  return found, chance / chance.sum()


def draw_tables(
  sizes: np.ndarray, k: int, draws: int, key: Sequence[int]
) -> np.ndarray:
  """Tables of random subsets of k samples, [draws, G].

  Args:
    sizes: [G] samples of each group.
    k: at most their sum.
    draws: how many.
    key: seeds them.
  """
  rng = np.random.default_rng(key)
  one_by_one = min(k, int(np.sum(sizes)) - k) < _SAMPLES_A_GROUP * len(sizes)
  return rng.multivariate_hypergeometric(
    sizes, k, draws, method="count" if one_by_one else "marginals"
  )


def draw_sums(
  weights: np.ndarray, votes: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
  """Sums over random samples of one group, as many as its votes.

  The draws of a column share an order of the group: where its votes grow from
  one row to the next, samples are added.

  Args:
    weights: [n] of the group's samples.
    votes: [M, draws], each from 0 to n.
    rng: advanced, by the same steps whatever M and the votes are.

  Returns:
    [M, draws] float64.
  """
  chex.assert_rank([weights, votes], [1, 2])
  size, draws = len(weights), votes.shape[1]
  if (weights == weights[0]).all():
    return votes * weights[0]
  sums = np.empty(votes.shape)
  block = max(_CELLS // size, 1)
  for start in range(0, draws, block):
    some = slice(start, start + block)
    added = _running_sums(weights, min(block, draws - start), rng)
    sums[:, some] = added[np.arange(len(added)), votes[:, some]]
  return sums


def _running_sums(
  weights: np.ndarray, draws: int, rng: np.random.Generator
) -> np.ndarray:
  """[draws, n + 1]: sums of none, one, two ... samples of random orders."""
  size = len(weights)
  # An order is one of random numbers whose last bits say whose they are:
  # sorting them is several times faster than shuffling.
  bits = np.uint64((1 << (size - 1).bit_length()) - 1)
  keys = rng.integers(0, 2**64, (draws, size), np.uint64)
  keys &= ~bits
  keys |= np.arange(size, dtype=np.uint64)
  keys.sort(axis=1)
  keys &= bits
  sums = np.zeros((draws, size + 1))
  np.cumsum(weights[keys.view(np.int64)], axis=1, out=sums[:, 1:])
  return sums


def _number_of_tables(sizes: np.ndarray, k: int) -> float:
  """How many tables of k samples there are."""
  # As many as of the samples left out. Beyond half of all, sums far above the
  # result would cancel, and nothing of it be left in float64.
  k = min(k, int(np.sum(sizes)) - k)
  number = np.zeros(k + 1)
  number[0] = 1.0
  for size in sizes:
    below = np.cumsum(number)
    number = below.copy()
    number[size + 1 :] -= below[: max(k - size, 0)]
  return float(number[k])


def _log_factorials(most: int) -> np.ndarray:
  """[most + 1]: the logarithm of each number's factorial."""
  return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 1)))])
