import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.tasks import normalize
from tts_jax.verify import choosing

_STEPS = jnp.array([[0.5, 0.8, 0.9], [0.9, 0.2, 0.0], [0.3, 0.0, 0.0]])
_COUNT = jnp.array([3, 2, 1])
_AGGREGATIONS = (choosing.last, choosing.least, choosing.product)


def _oracle(answers, weight, valid):
  """Exact shares by plain loops; `weight` gives an answer its votes."""
  votes = {}
  for answer, one, there in zip(answers, weight, valid, strict=True):
    if there and answer >= 0:
      votes.setdefault(answer, []).append(one)
  totals = {answer: sum(ones) for answer, ones in votes.items()}
  best = max(totals.values(), default=None)
  leaders = [answer for answer in totals if abs(totals[answer] - best) < 1e-6]
  return [
    1 / len(leaders) / len(votes[a]) if there and a in leaders else 0.0
    for a, there in zip(answers, valid, strict=True)
  ]


def _best_oracle(answers, score, valid):
  able = [i for i, a in enumerate(answers) if a >= 0 and valid[i]]
  top = [i for i in able if score[i] == max(score[j] for j in able)]
  return [1 / len(top) if i in top else 0.0 for i in range(len(answers))]


@pytest.mark.parametrize(
  ("function", "expected"),
  [
    (choosing.last, [0.9, 0.2, 0.3]),
    (choosing.least, [0.5, 0.2, 0.3]),
    (choosing.product, [0.36, 0.18, 0.3]),
  ],
)
def test_aggregations_of_steps(function, expected):
  np.testing.assert_allclose(function(_STEPS, _COUNT), expected, rtol=1e-6)


@pytest.mark.parametrize("function", _AGGREGATIONS)
def test_padding_is_never_read(function):
  padded = jnp.where(jnp.arange(3) < _COUNT[:, None], _STEPS, jnp.nan)
  np.testing.assert_array_equal(
    function(padded, _COUNT), function(_STEPS, _COUNT)
  )


@pytest.mark.parametrize("function", _AGGREGATIONS)
def test_a_solution_without_steps_has_no_score(function):
  score = function(_STEPS, jnp.array([0, 2, 1]))
  assert np.isnan(score[0])
  assert not np.isnan(score[1:]).any()


def test_majority_by_hand():
  answers = jnp.array([4, 7, 4, -1, 9])
  np.testing.assert_allclose(
    choosing.majority(answers), [0.5, 0, 0.5, 0, 0], rtol=1e-6
  )


def test_best_of_n_by_hand():
  answers = jnp.array([4, 7, 4, -1])
  score = jnp.array([-2.0, -1.0, -3.0, 5.0])  # Any scale; -1 is no answer.
  np.testing.assert_array_equal(
    choosing.best_of_n(answers, score), [0, 1, 0, 0]
  )


def test_weighted_by_hand():
  answers = jnp.array([4, 7, 4, 9])
  score = jnp.array([0.3, 0.5, 0.3, 0.1])
  np.testing.assert_allclose(
    choosing.best_of_n_weighted(answers, score), [0.5, 0, 0.5, 0], rtol=1e-6
  )


def test_choosers_agree_with_plain_loops():
  rng = np.random.default_rng(0)
  for _ in range(60):
    answers = rng.integers(-1, 4, 9).astype(np.int32)
    score = (rng.integers(0, 5, 9) / 8).astype(np.float32)
    valid = rng.random(9) < 0.7
    ones = np.ones(9)
    for got, expected in (
      (choosing.majority(answers, valid=valid), (answers, ones, valid)),
      (
        choosing.best_of_n_weighted(answers, score, valid=valid),
        (answers, score, valid),
      ),
    ):
      np.testing.assert_allclose(got, _oracle(*expected), atol=1e-6)
    np.testing.assert_allclose(
      choosing.best_of_n(answers, score, valid=valid),
      _best_oracle(answers, score, valid),
      atol=1e-6,
    )


def test_jit_and_vmap_change_nothing():
  rng = np.random.default_rng(1)
  answers = rng.integers(-1, 3, (5, 8)).astype(np.int32)
  score = rng.random((5, 8)).astype(np.float32)
  batched = jax.jit(jax.vmap(choosing.best_of_n_weighted))(answers, score)
  for row in range(5):
    one = choosing.best_of_n_weighted(answers[row], score[row])
    np.testing.assert_allclose(batched[row], one, atol=1e-6)


def test_trap_8_votes_do_not_depend_on_order_or_names():
  rng = np.random.default_rng(2)
  answers = rng.integers(-1, 5, 64).astype(np.int32)
  score = rng.random(64).astype(np.float32)
  names = np.array([31, 8, 90, 2, 17, -1])
  expected = choosing.best_of_n_weighted(answers, score)
  order = rng.permutation(64)
  got = choosing.best_of_n_weighted(names[answers[order]], score[order])
  np.testing.assert_allclose(got, expected[order], atol=1e-6)


def test_trap_10_votes_are_over_canonical_answers():
  written = ["0.5", r"\frac12", "3", "1/2", "3"]
  canonical = [normalize.canonical(text) for text in written]
  groups = {
    text: number for number, text in enumerate(dict.fromkeys(canonical))
  }
  answers = jnp.array([groups[text] for text in canonical])
  raw = jnp.array([0, 1, 2, 3, 2])
  score = jnp.full(5, 0.9)
  assert choosing.best_of_n_weighted(answers, score)[:2].sum() > 0.6
  assert choosing.best_of_n_weighted(raw, score)[2] == 0.5


def test_trap_11_a_failed_score_is_not_a_score_of_zero():
  answers = jnp.array([0, 1, -1, 2])
  broken = jnp.array([0.2, jnp.nan, 0.1, 0.3])
  for chooser in (choosing.best_of_n, choosing.best_of_n_weighted):
    assert np.isnan(chooser(answers, broken)).all()
    # Where nobody asks for it, its lack does no harm.
    unused = jnp.array([0.2, 0.1, jnp.nan, jnp.nan])
    valid = jnp.array([True, True, True, False])
    assert chooser(answers, unused, valid=valid)[0] == 1
  with pytest.raises(errors.InputError, match="scores of question 'q7': NaN"):
    choosing.check_scores(
      ["q3", "q7"], np.array([[0.1, np.nan], [0.2, np.nan]]),
      np.array([[True, False], [True, True]]),
    )  # fmt: skip
  choosing.check_scores(["q3"], np.array([[np.nan]]), np.array([[False]]))


def test_trap_14_a_weighted_vote_sums_and_does_not_average():
  # The mean would take answer 1, the sum takes answer 0.
  answers = jnp.array([0, 0, 0, 1])
  score = jnp.array([0.4, 0.4, 0.4, 0.9])
  np.testing.assert_allclose(
    choosing.best_of_n_weighted(answers, score), [1 / 3, 1 / 3, 1 / 3, 0]
  )


def test_trap_14_the_product_pays_for_length_and_the_others_do_not():
  steps, count = jnp.full((2, 4), 0.9), jnp.array([1, 4])
  assert choosing.product(steps, count)[1] < 0.7
  for function in (choosing.last, choosing.least):
    np.testing.assert_allclose(function(steps, count), [0.9, 0.9], rtol=1e-6)


def test_trap_14_ties_are_shared_and_not_broken():
  answers = jnp.array([5, 3, 5, 3, 1])
  votes = choosing.majority(answers)
  np.testing.assert_allclose(votes, [0.25, 0.25, 0.25, 0.25, 0])
  # 0.01 + 0.04 and 0.05 differ in float32, and are equal in truth.
  near = choosing.best_of_n_weighted(
    jnp.array([0, 0, 1]), jnp.array([0.01, 0.04, 0.05])
  )
  np.testing.assert_allclose(near, [0.25, 0.25, 0.5], rtol=1e-6)
  top = choosing.best_of_n(jnp.array([0, 1, 1]), jnp.array([0.7, 0.7, 0.1]))
  np.testing.assert_allclose(top, [0.5, 0.5, 0])


def test_trap_15_a_question_without_answers_is_wrong():
  correct = jnp.ones(3)
  for answers, valid in (
    (jnp.full(3, -1), None),
    (jnp.array([0, 1, 1]), jnp.zeros(3, bool)),
  ):
    score = jnp.array([0.1, jnp.nan, 0.3])
    for chosen in (
      choosing.majority(answers, valid=valid),
      choosing.best_of_n(answers, score, valid=valid),
      choosing.best_of_n_weighted(answers, score, valid=valid),
    ):
      assert (chosen * correct).sum() == 0


def test_scores_of_zero_still_vote():
  answers, score = jnp.array([0, 1, 1]), jnp.zeros(3)
  np.testing.assert_allclose(
    choosing.best_of_n_weighted(answers, score), [0.5, 0.25, 0.25]
  )
