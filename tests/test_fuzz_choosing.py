"""Laws of choosing that hold for any scores, answers and ties."""

import functools
import itertools

import hypothesis
import jax
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tts_jax.scaling import bin_edges, choices, difficulty, estimators, subsets
from tts_jax.search import selection
from tts_jax.verify import choosing

fuzz = hypothesis.settings(
  max_examples=60, deadline=None, derandomize=True, database=None
)
N = 8


def arrays(values, dtype, shape=N):
  return hnp.arrays(dtype, shape, elements=st.sampled_from(values))


# Few values, so that there are ties.
SCORES = arrays((0.0, 0.25, 0.5, 1.0), np.float32)
BROKEN = arrays((0.25, 0.5, 1.0, np.nan), np.float32)
ANSWERS = arrays((-1, 0, 1, 2), np.int32)
FLAGS = arrays((False, True), bool)
ORDER = st.permutations(range(N)).map(np.array)


@functools.partial(jax.jit, static_argnames=("trees", "width"))
def _select(score, alive, finished, capped, *, trees, width):
  return selection.select(
    score, alive, finished, capped, trees=trees, width=width
  )


SHAPES = st.sampled_from([(1, 1), (1, 2), (1, 8), (2, 2), (2, 4), (4, 2)])


@fuzz
@hypothesis.given(BROKEN, FLAGS, FLAGS, FLAGS, SHAPES)
def test_selection_is_of_the_best_and_shares_evenly(
  score, alive, finished, capped, shape
):
  trees, width = shape
  capped &= ~finished
  found = _select(score, alive, finished, capped, trees=trees, width=width)
  for rows in np.split(np.arange(N), trees):
    parents = np.asarray(found)[rows]
    assert {*parents.tolist()} <= {-1, *rows.tolist()}
    kept = [row for row in rows if found[row] == row]
    live = alive & ~finished & ~capped
    if not live[rows].any():
      # A tree that is done keeps all its finals, and nothing else.
      assert kept == [row for row in rows if alive[row]]
      continue
    assert len(kept) == min(len(rows) // width, alive[rows].sum())

    def rank(row):
      unknown = bool(np.isnan(score[row]))
      return (capped[row], unknown, 0.0 if unknown else -score[row], row)

    cut = [row for row in rows if alive[row] and row not in kept]
    assert not cut or max(map(rank, kept)) < min(map(rank, cut))
    heirs = [row for row in kept if live[row]]
    copies = [int((parents == row).sum()) - 1 for row in heirs]
    assert sum(copies) == (len(rows) - len(kept) if heirs else 0)
    if heirs:
      assert max(copies) - min(copies) <= 1
    # Those that cannot go on have no copies.
    others = [row for row in kept if not live[row]]
    assert all((parents == row).sum() == 1 for row in others)


@fuzz
@hypothesis.given(st.permutations(range(N)), ORDER, FLAGS, SHAPES)
def test_selection_does_not_depend_on_places(ranks, order, finished, shape):
  trees, width = shape
  hypothesis.assume(trees == 1)
  score = np.array(ranks, np.float32)
  none, every = np.zeros(N, bool), np.ones(N, bool)

  def kept(score, finished):
    found = _select(score, every, finished, none, trees=1, width=width)
    return {float(score[row]) for row in np.flatnonzero(found == np.arange(N))}

  assert kept(score, finished) == kept(score[order], finished[order])


_CHOOSERS = {
  "majority": lambda a, s, v: choosing.majority(a, valid=v),
  "best_of_n": lambda a, s, v: choosing.best_of_n(a, s, valid=v),
  "weighted": lambda a, s, v: choosing.best_of_n_weighted(a, s, valid=v),
  "hierarchical": lambda a, s, v: choosing.hierarchical(
    a.reshape(2, -1), s.reshape(2, -1), valid=v.reshape(2, -1)
  ).reshape(-1),
}


@pytest.mark.parametrize("name", _CHOOSERS)
def test_votes(name):
  choose = jax.jit(_CHOOSERS[name])

  @fuzz
  @hypothesis.given(ANSWERS, SCORES, FLAGS, ORDER)
  def check(answers, score, valid, order):
    if name == "hierarchical":
      # Chains may change places, and of an order inside one ties depend.
      order = np.roll(np.arange(N), N // 2 * (order[0] % 2))
    voting = valid & (answers >= 0)
    share = np.asarray(choose(answers, score, valid))
    assert (share >= 0).all()
    assert not share[~voting].any()
    np.testing.assert_allclose(share.sum(), voting.any(), atol=1e-6)
    moved = choose(answers[order], score[order], valid[order])
    np.testing.assert_allclose(moved, share[order], atol=1e-6)
    # The names of answers mean nothing.
    named = np.where(answers < 0, -1, 9 - answers).astype(np.int32)
    np.testing.assert_allclose(choose(named, score, valid), share, atol=1e-6)
    # Nor does anything that takes no part.
    other = np.where(voting, score, np.nan).astype(np.float32)
    np.testing.assert_allclose(choose(answers, other, valid), share, atol=1e-6)
    if name == "best_of_n" and voting.any():
      top = voting & (score == score[voting].max())
      np.testing.assert_allclose(share, top / top.sum(), atol=1e-6)

  check()


@pytest.mark.parametrize("name", ["best_of_n", "weighted", "hierarchical"])
def test_nothing_is_chosen_by_nan(name):
  choose = jax.jit(_CHOOSERS[name])

  @fuzz
  @hypothesis.given(ANSWERS, BROKEN, FLAGS)
  def check(answers, score, valid):
    voting = valid & (answers >= 0)
    broken = bool(np.isnan(score[voting]).any())
    found = np.isnan(choose(answers, score, valid))
    assert found.all() if broken else not found.any()

  check()


@fuzz
@hypothesis.given(
  arrays((0.0, 0.25, 0.5, 1.0), np.float32, (N, 3)),
  arrays((0, 1, 2, 3), np.int32),
)
def test_aggregates_are_probabilities_in_order(steps, count):
  product, least, last = (
    np.asarray(one(steps, count))
    for one in (choosing.product, choosing.least, choosing.last)
  )
  np.testing.assert_array_equal(np.isnan(last), count == 0)
  judged = count > 0
  assert (product[judged] >= 0).all()
  assert (product <= least)[judged].all()
  assert (least <= last)[judged].all()
  assert (last[judged] <= 1).all()


@fuzz
@hypothesis.given(
  arrays((0.0, 0.1, 0.5, 0.5, 0.9), np.float64, 12),
  st.integers(1, 5),
  st.permutations(range(12)),
)
def test_bins_keep_the_tied_together(scores, bins, order):
  found = bin_edges.edges(scores, bins)
  assert len(found) == bins - 1
  assert (np.diff(found) <= 0).all()
  place = bin_edges.place(scores, found)
  assert sum(bin_edges.sizes(place, bins)) == len(scores)
  # An order of questions changes no bin, and equal scores share one.
  moved = scores[list(order)]
  np.testing.assert_array_equal(bin_edges.edges(moved, bins), found)
  for left, right in itertools.combinations(range(12), 2):
    if scores[left] > scores[right]:
      assert place[left] <= place[right]
    elif scores[left] == scores[right]:
      assert place[left] == place[right]
  even = difficulty.quantile_bins(scores, bins)
  sizes = np.bincount(even, minlength=bins)
  assert sizes.max() - sizes.min() <= 1
  for easier, harder in itertools.pairwise(range(bins)):
    assert scores[even == easier].min() >= scores[even == harder].max()


@fuzz
@hypothesis.given(
  arrays((-1, 0, 1), np.int32, 5),
  arrays((False, True), bool, 5),
  arrays((0.25, 0.5, 1.0), np.float64, 5),
)
def test_expectations_are_means_over_all_subsets(answers, correct, score):
  # An answer is right or not; one that is none is wrong.
  correct = correct & (answers >= 0)
  ks = range(1, 6)
  found = {
    "pass": estimators.pass_at_k(correct[None], ks)[0],
    "majority": estimators.majority_at_k(answers[None], correct[None], ks)[0],
    "best": choices.best_of_n_at_k(
      score[None], correct[None], ks, answers=answers[None]
    )[0],
    "weighted": choices.weighted_at_k(
      answers[None], correct[None], score[None], [1, 5]
    )[0],
  }
  right = {
    a: correct[answers == a].mean() for a in {*answers.tolist()} if a >= 0
  }

  def voted(rows, weight):
    totals = {}
    for row in rows:
      if answers[row] >= 0:
        a = int(answers[row])
        totals[a] = totals.get(a, 0) + weight[row]
    top = [a for a in totals if totals[a] >= max(totals.values()) - 1e-9]
    return np.mean([right[a] for a in top]) if top else 0.0

  def best(rows):
    able = [row for row in rows if answers[row] >= 0]
    top = [row for row in able if score[row] == max(score[r] for r in able)]
    return np.mean(correct[top]) if top else 0.0

  for column, k in enumerate(ks):
    every = [list(rows) for rows in itertools.combinations(range(5), k)]
    for name, one in (
      ("pass", lambda rows: correct[rows].any()),
      ("majority", lambda rows: voted(rows, np.ones(5))),
      ("best", best),
    ):
      expected = np.mean([one(rows) for rows in every])
      np.testing.assert_allclose(found[name][column], expected, atol=1e-9)
    if k in (1, 5):
      expected = np.mean([voted(rows, score) for rows in every])
      at = [1, 5].index(k)
      np.testing.assert_allclose(found["weighted"][at], expected, atol=1e-9)


@fuzz
@hypothesis.given(
  st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data()
)
def test_tables_are_all_subsets(sizes, data):
  k = data.draw(st.integers(1, sum(sizes)))
  tables, chance = subsets.all_tables(np.array(sizes), k)
  owner = np.repeat(np.arange(len(sizes)), sizes)
  counts = {}
  for rows in itertools.combinations(owner, k):
    made = tuple(np.bincount(rows, minlength=len(sizes)).tolist())
    counts[made] = counts.get(made, 0) + 1
  whole = sum(counts.values())
  found = dict(zip(map(tuple, tables.tolist()), chance, strict=True))
  assert found.keys() == counts.keys()
  for made, count in counts.items():
    np.testing.assert_allclose(found[made], count / whole, atol=1e-9)
