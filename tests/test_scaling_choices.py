import itertools

import numpy as np
import pytest

from tts_jax import errors
from tts_jax.scaling import choices, estimators

_ANSWERS = np.array(
  [
    [0, 0, 1, 1, 2, 2, 3],
    [0, 1, 1, -1, -1, 2, 2],
    [-1, -1, -1, -1, -1, -1, -1],
    [5, 5, -1, 5, -1, -1, -1],
    [0, 1, 2, 3, 4, 5, 6],
    [0, 0, 0, 0, 1, 1, 1],
  ],
  np.int32,
)
_CORRECT = np.array(
  [
    [1, 1, 0, 0, 0, 0, 0],
    [0, 1, 1, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [1, 0, 1, 1, 0, 0, 0],
    [0, 0, 1, 0, 0, 0, 0],
    [1, 0, 1, 1, 0, 0, 0],
  ],
  bool,
)
# Multiples of 1/8 add up exactly, and meet in ties.
_SCORE = np.array(
  [
    [1, 2, 3, 4, 4, 3, 7],
    [2, 2, 2, 7, 0, 4, 0],
    [1, 2, 3, 4, 5, 6, 7],
    [1, 1, 8, 0, 8, 8, 8],
    [3, 3, 3, 3, 3, 3, 3],
    [0, 0, 0, 0, 0, 0, 0],
  ],
  float,
) / 8  # fmt: skip


def _best(score, right, labels):
  able = [i for i in range(len(score)) if labels[i] >= 0]
  top = [right[i] for i in able if score[i] == max(score[j] for j in able)]
  return np.mean(top) if top else 0.0


def _weighted(score, labels, share):
  votes = {}
  for one, label in zip(score, labels, strict=True):
    if label >= 0:
      votes[label] = votes.get(label, 0.0) + one
  leaders = [g for g in votes if votes[g] == max(votes.values())]
  return np.mean([share[g] for g in leaders]) if leaders else 0.0


def _subsets(row, k):
  for places in itertools.combinations(range(7), k):
    yield [table[row, list(places)] for table in (_SCORE, _CORRECT, _ANSWERS)]


def _pool(questions, samples, seed):
  rng = np.random.default_rng(seed)
  answers = rng.integers(-1, 6, (questions, samples)).astype(np.int32)
  return answers, answers == 0, rng.random((questions, samples))


@pytest.mark.parametrize("k", range(1, 8))
def test_best_of_n_at_k_is_exact_over_all_subsets(k):
  expected = [
    np.mean([_best(*subset) for subset in _subsets(row, k)]) for row in range(6)
  ]
  got = choices.best_of_n_at_k(_SCORE, _CORRECT, [k], answers=_ANSWERS)
  np.testing.assert_allclose(got[:, 0], expected, atol=1e-12)


def test_best_of_n_at_k_by_hand():
  # Two of the three pairs hold the right sample, which is the top of both.
  score = np.array([[0.5, 0.9, 0.1]])
  got = choices.best_of_n_at_k(score, score == 0.9, [1, 2, 3])
  np.testing.assert_allclose(got, [[1 / 3, 2 / 3, 1]])


@pytest.mark.parametrize("k", range(1, 8))
def test_weighted_at_k_agrees_with_all_subsets(k):
  expected = []
  for row in range(6):
    labels, right = _ANSWERS[row], _CORRECT[row]
    share = {g: right[labels == g].mean() for g in set(labels.tolist())}
    values = [_weighted(s, a, share) for s, _, a in _subsets(row, k)]
    expected.append(np.mean(values))
  got = choices.weighted_at_k(_ANSWERS, _CORRECT, _SCORE, [k], draws=10_000)
  # Five standard errors; at 1 and N nothing is drawn.
  atol = 1e-12 if k in (1, 7) else 5 * 0.5 / np.sqrt(10_000)
  np.testing.assert_allclose(got[:, 0], expected, atol=atol)


@pytest.mark.parametrize("samples", [24, 200])
def test_weighted_at_k_with_equal_scores_is_majority_at_k(samples):
  answers, correct, _ = _pool(20, samples, seed=0)
  ks = [1, 2, 3, 20, samples]
  got = choices.weighted_at_k(
    answers, correct, np.full(answers.shape, 0.25), ks, seed=4, draws=50
  )
  np.testing.assert_allclose(
    got, estimators.majority_at_k(answers, correct, ks, seed=4, draws=50)
  )


def test_one_sample_is_the_mean():
  answers, correct, score = _pool(20, 19, seed=1)
  mean = correct.mean(1)
  best = choices.best_of_n_at_k(score, correct, [1], answers=answers)
  np.testing.assert_allclose(best[:, 0], mean)
  weighted = choices.weighted_at_k(answers, correct, score, [1])
  np.testing.assert_allclose(weighted[:, 0], mean)


def test_a_perfect_score_reaches_pass_at_k():
  _, correct, _ = _pool(20, 33, seed=2)
  ks = [1, 2, 8, 33]
  np.testing.assert_allclose(
    choices.best_of_n_at_k(correct.astype(float), correct, ks),
    estimators.pass_at_k(correct, ks),
    atol=1e-12,
  )


def test_trap_7_every_sample_counts_and_not_the_first_ones():
  # Right samples stand first, or last: the budget's value is the same.
  correct = np.arange(12)[None] < 4
  answers = np.where(correct, 0, 1).astype(np.int32)
  score = np.where(correct, 0.3, 0.6)
  for k in (2, 3, 6):
    expected = 1 - estimators.pass_at_k(~correct, [k])
    for view in (slice(None), slice(None, None, -1)):
      got = choices.best_of_n_at_k(score[:, view], correct[:, view], [k])
      np.testing.assert_allclose(got, expected, atol=1e-12)
    forth = choices.weighted_at_k(answers, correct, score, [k], draws=40)
    back = choices.weighted_at_k(
      answers[:, ::-1], correct[:, ::-1], score[:, ::-1], [k], draws=40
    )
    np.testing.assert_array_equal(forth, back)
    assert 0 < forth[0, 0] < 1


def test_trap_8_order_and_names_change_nothing():
  answers, correct, score = _pool(10, 24, seed=3)
  ks = [2, 3, 8, 24]
  order = np.random.default_rng(4).permutation(24)
  names = np.array([40, 7, 19, 3, 0, 11, -1])  # -1 stays -1
  np.testing.assert_array_equal(
    choices.weighted_at_k(
      names[answers[:, order]],
      correct[:, order],
      score[:, order],
      ks,
      draws=50,
    ),
    choices.weighted_at_k(answers, correct, score, ks, draws=50),
  )


def test_other_questions_and_budgets_change_nothing():
  answers, correct, score = _pool(10, 24, seed=5)
  whole = choices.weighted_at_k(answers, correct, score, [2, 5, 8], draws=50)
  part = choices.weighted_at_k(
    answers[4:6], correct[4:6], score[4:6], [8], draws=50
  )
  np.testing.assert_array_equal(part[:, 0], whole[4:6, 2])
  back = choices.weighted_at_k(answers, correct, score, [8, 5, 2], draws=50)
  np.testing.assert_array_equal(back, whole[:, ::-1])


def test_weighted_at_k_has_the_votes_of_majority_at_k():
  # Scores that hardly differ break ties and do nothing else.
  answers, correct, score = _pool(20, 200, seed=7)
  near = 0.5 + 1e-6 * score
  votes = estimators.majority_at_k(answers, correct, [150], draws=40)

  def away(seed):
    got = choices.weighted_at_k(
      answers, correct, near, [150], seed=seed, draws=40
    )
    return np.abs(got - votes).mean()

  assert away(0) < away(1) / 2


def test_the_seed_draws_other_subsets():
  answers, correct, score = _pool(10, 24, seed=6)
  one, other = (
    choices.weighted_at_k(answers, correct, score, [8], seed=seed, draws=50)
    for seed in (0, 1)
  )
  assert (one != other).any()


def test_trap_11_a_missing_score_is_refused():
  score = _SCORE.copy()
  score[4, 2] = np.nan
  with pytest.raises(errors.InputError, match=r"scores of question 4 .*NaN"):
    choices.best_of_n_at_k(score, _CORRECT, [2], answers=_ANSWERS)
  with pytest.raises(errors.InputError, match=r"scores of question 4 .*NaN"):
    choices.weighted_at_k(_ANSWERS, _CORRECT, score, [2])
  score = _SCORE.copy()
  score[2] = np.nan  # Nothing there can be chosen.
  assert choices.best_of_n_at_k(score, _CORRECT, [2], answers=_ANSWERS)[2] == 0
  assert choices.weighted_at_k(_ANSWERS, _CORRECT, score, [2])[2] == 0


def test_trap_14_logits_are_refused_in_a_weighted_vote():
  with pytest.raises(errors.InputError, match="probabilities"):
    choices.weighted_at_k(_ANSWERS, _CORRECT, 4 * _SCORE - 2, [2])
  choices.best_of_n_at_k(4 * _SCORE - 2, _CORRECT, [2])  # A rank needs none.


def test_trap_14_ties_are_shared():
  answers = np.array([[0, 0, 1, 2]], np.int32)
  score = np.array([[0.1, 0.2, 0.3, 0.25]])
  got = choices.weighted_at_k(answers, answers == 1, score, [4])
  assert got[0, 0] == 0.5
  tied = choices.best_of_n_at_k(np.ones((1, 4)), answers == 1, [2, 4])
  np.testing.assert_allclose(tied, [[0.25, 0.25]])


def test_trap_15_subsets_without_answers_are_wrong():
  answers = np.array([[0, -1, -1, -1]], np.int32)
  score = np.array([[0.1, 0.9, 0.9, np.nan]])
  ks = [1, 2, 4]
  expected = [[0.25, 0.5, 1.0]]
  np.testing.assert_allclose(
    choices.best_of_n_at_k(score, answers == 0, ks, answers=answers), expected
  )
  np.testing.assert_allclose(
    choices.weighted_at_k(answers, answers == 0, score, ks), expected
  )


@pytest.mark.parametrize("k", [0, 8])
def test_a_budget_outside_the_pool_is_refused(k):
  with pytest.raises(errors.InputError, match=f"k = {k} .* 7 samples"):
    choices.best_of_n_at_k(_SCORE, _CORRECT, [1, k])
  with pytest.raises(errors.InputError, match=f"k = {k} .* 7 samples"):
    choices.weighted_at_k(_ANSWERS, _CORRECT, _SCORE, [1, k])


def test_no_draws_are_refused():
  with pytest.raises(errors.InputError, match="draws"):
    choices.weighted_at_k(_ANSWERS, _CORRECT, _SCORE, [2], draws=0)
