"""Who survives a round and whose rows are refilled."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import search_oracle

from tts_jax.search import selection


@functools.partial(jax.jit, static_argnames=("trees", "width"))
def _select(score, alive, finished, capped, *, trees, width):
  one = functools.partial(selection.select, trees=trees, width=width)
  return jax.vmap(one)(score, alive, finished, capped)


def _parents(score, *, width, trees=1, finished=(), capped=(), empty=()):
  """Parents, the rows of each kind given by their indices."""
  n = len(score)

  def at(rows):
    return jnp.zeros(n, bool).at[jnp.asarray(rows, jnp.int32)].set(True)

  return selection.select(
    jnp.asarray(score, jnp.float32),
    ~at(empty),
    at(finished),
    at(capped),
    trees=trees,
    width=width,
  ).tolist()


@pytest.mark.parametrize(
  ("n", "trees", "width"),
  [(1, 1, 1), (6, 1, 1), (6, 1, 2), (6, 1, 6), (12, 3, 4), (16, 2, 2)],
)
def test_equals_the_oracle(n, trees, width):
  rng = np.random.default_rng(n + width)
  # Few values, so that there are ties; some of them are NaN.
  score = rng.choice([0.1, 0.5, 0.5, 0.9, np.nan], (300, n)).astype(np.float32)
  alive = rng.random((300, n)) < rng.choice([0.5, 1.0], (300, 1))
  finished = rng.random((300, n)) < rng.choice([0.0, 0.3, 1.0], (300, 1))
  capped = ~finished & (rng.random((300, n)) < 0.2)
  found = _select(score, alive, finished, capped, trees=trees, width=width)
  for case in range(300):
    assert found[case].tolist() == search_oracle.select(
      score[case],
      alive[case],
      finished[case],
      capped[case],
      trees=trees,
      width=width,
    )


def test_survivors_stay_and_their_copies_take_the_rows_that_were_cut():
  score = [0.1, 0.9, 0.2, 0.8, 0.3, 0.4, 0.5, 0.6]
  assert _parents(score, width=4) == [1, 1, 3, 3, 1, 3, 1, 3]


def test_what_does_not_divide_goes_to_the_best():
  score = [0.7, 0.9, 0.8, 0.1, 0.2, 0.3]
  finished = [0]
  # Three survive of six, one of them finished: three rows for two heirs.
  assert _parents(score, width=2, finished=finished) == [0, 1, 2, 1, 2, 1]


def test_equal_scores_keep_the_lower_rows():
  assert _parents([0.5] * 4, width=2) == [0, 1, 0, 1]


def test_width_1_keeps_everything():
  score = [0.3, np.nan, 0.9, 0.1]
  kinds = {"finished": [2], "capped": [3]}
  assert _parents(score, width=1, **kinds) == [0, 1, 2, 3]


def test_scores_that_are_no_number_rank_last_and_capped_rows_behind_them():
  score = [0.9, np.nan, 0.2, 0.8]
  assert _parents(score, width=2, capped=[0]) == [3, 2, 2, 3]
  assert _parents([0.9, np.nan], width=2, capped=[0]) == [1, 1]
  # With nothing better a capped row keeps its own place, and is not copied.
  score = [0.9, 0.9, 0.2, 0.1, 0.9, 0.9]
  capped = [0, 1, 4, 5]
  assert _parents(score, width=2, capped=capped) == [0, 2, 2, 3, 3, 2]


def test_finished_rows_survive_by_their_score_alone():
  score = [0.1, 0.9, 0.2, 0.8]
  # The first to finish is cut, the best is kept, once.
  assert _parents(score, width=2, finished=[0, 1]) == [3, 1, 3, 3]


def test_without_a_survivor_that_can_go_on_rows_are_left_empty():
  score = [0.1, 0.9, 0.2, 0.8]
  assert _parents(score, width=2, finished=[1, 3]) == [-1, 1, -1, 3]
  later = {"finished": [1, 3], "empty": [0, 2]}
  assert _parents(score, width=2, **later) == [-1, 1, -1, 3]


def test_a_tree_that_is_done_keeps_all_its_finals():
  score = [0.1, 0.9, 0.2, 0.8, 0.1, 0.9, 0.2, 0.8]
  assert _parents(score, width=4, trees=2, finished=range(4)) == [
    *range(4),
    *[5] * 4,
  ]


def test_trees_know_nothing_of_each_other():
  score = [0.1, 0.2, 0.9, 0.8]
  assert _parents(score, width=2, trees=2) == [1, 1, 2, 2]
  assert _parents(score, width=2) == [2, 3, 2, 3]


def test_shapes_that_do_not_fit_are_a_fault():
  with pytest.raises(AssertionError):
    _parents([0.1] * 6, width=4)
