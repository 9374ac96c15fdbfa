import itertools
import math

import numpy as np
import pytest

from tts_jax import errors
from tts_jax.scaling import estimators, subsets

# Question by question: several answers, ties, a blank, all blank, a group that
# the grader split, and none correct.
_ANSWERS = np.array(
  [
    [0, 0, 1, 1, 2, 2, 3],
    [0, 1, 1, -1, -1, 2, 2],
    [-1, -1, -1, -1, -1, -1, -1],
    [0, 0, 0, 0, 1, 1, 1],
    [5, 5, -1, 5, -1, -1, -1],
    [0, 1, 2, 3, 4, 5, 6],
  ],
  np.int32,
)
_CORRECT = np.array(
  [
    [1, 1, 0, 0, 0, 0, 0],
    [0, 1, 1, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [1, 0, 1, 1, 0, 0, 0],
    [1, 1, 0, 1, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
  ],
  bool,
)


def _majority_oracle(labels, right, k):
  share = {
    label: np.mean(
      [r for a, r in zip(labels, right, strict=True) if a == label]
    )
    for label in labels
  }
  values = []
  for subset in itertools.combinations(labels, k):
    votes = [label for label in subset if label >= 0]
    tallies = {label: votes.count(label) for label in votes}
    leaders = [g for g in tallies if tallies[g] == max(tallies.values())]
    values.append(np.mean([share[g] for g in leaders]) if leaders else 0.0)
  return np.mean(values)


def _pool(questions, samples, seed):
  rng = np.random.default_rng(seed)
  answers = rng.integers(-1, 6, (questions, samples)).astype(np.int32)
  return answers, answers == 0


@pytest.mark.parametrize("k", range(1, 8))
def test_pass_at_k_is_the_share_of_subsets_with_a_correct_sample(k):
  expected = [
    np.mean([any(s) for s in itertools.combinations(row, k)])
    for row in _CORRECT
  ]
  got = estimators.pass_at_k(_CORRECT, [k])
  np.testing.assert_allclose(got[:, 0], expected, atol=1e-12)


def test_pass_at_k_keeps_its_digits_in_a_large_pool():
  correct = np.zeros((2, 20_000), bool)
  correct[0, 0] = True
  correct[1, :10_000] = True
  got = estimators.pass_at_k(correct, [1, 5_000, 20_000])
  np.testing.assert_allclose(got[0], [1 / 20_000, 0.25, 1.0], rtol=1e-9)
  np.testing.assert_allclose(got[1], [0.5, 1.0, 1.0], rtol=1e-9)


def test_pass_at_k_never_falls_with_k():
  _, correct = _pool(40, 33, seed=0)
  steps = np.diff(estimators.pass_at_k(correct, range(1, 34)), axis=1)
  assert (steps >= -1e-12).all()
  assert steps.max() > 0


@pytest.mark.parametrize("k", range(1, 8))
def test_majority_at_k_agrees_with_all_subsets(k):
  expected = [
    _majority_oracle(list(a), list(c), k)
    for a, c in zip(_ANSWERS, _CORRECT, strict=True)
  ]
  # So few ways to vote are listed, and nothing is drawn.
  got = estimators.majority_at_k(_ANSWERS, _CORRECT, [k], draws=1)[:, 0]
  np.testing.assert_allclose(got, expected, atol=1e-12)


@pytest.mark.parametrize("k", range(2, 7))
def test_drawn_votes_agree_with_all_subsets(k, monkeypatch):
  monkeypatch.setattr(subsets, "all_tables", lambda sizes, k: None)
  expected = [
    _majority_oracle(list(a), list(c), k)
    for a, c in zip(_ANSWERS, _CORRECT, strict=True)
  ]
  got = estimators.majority_at_k(_ANSWERS, _CORRECT, [k], draws=20_000)[:, 0]
  # Five standard errors.
  np.testing.assert_allclose(got, expected, atol=5 * 0.5 / np.sqrt(20_000))
  assert np.abs(got - expected).max() > 1e-6


@pytest.mark.parametrize("k", [3, 20, 200, 1024])
def test_two_answers_in_a_large_pool_are_exact(k):
  labels = np.repeat([0, 1], [1100, 948])[None].astype(np.int32)
  right = labels == 1
  # Of the k votes, i are right.
  chances = [
    math.comb(948, i) * math.comb(1100, k - i) / math.comb(2048, k)
    for i in range(k + 1)
  ]
  expected = sum(
    chance * (1.0 if 2 * i > k else 0.5 if 2 * i == k else 0.0)
    for i, chance in enumerate(chances)
  )
  got = estimators.majority_at_k(labels, right, [k], draws=1)
  np.testing.assert_allclose(got, [[expected]], rtol=1e-9)


def test_a_single_answer_needs_no_draws():
  answers, correct = _ANSWERS[4:5], _CORRECT[4:5]
  got = estimators.majority_at_k(answers, correct, range(1, 8), draws=1)
  expected = [_majority_oracle(list(answers[0]), list(correct[0]), k)
              for k in range(1, 8)]  # fmt: skip
  np.testing.assert_allclose(got[0], expected, atol=1e-12)


def test_one_sample_is_the_mean_for_both():
  answers, correct = _pool(30, 19, seed=1)
  mean = correct.mean(1)
  np.testing.assert_allclose(estimators.pass_at_k(correct, [1])[:, 0], mean)
  votes = estimators.majority_at_k(answers, correct, [1])
  np.testing.assert_allclose(votes[:, 0], mean)


def test_ties_share_the_credit_at_the_whole_pool():
  answers = np.array([[0, 0, 1, 1, 2]], np.int32)
  got = estimators.majority_at_k(answers, answers == 1, [5])
  assert got[0, 0] == 0.5


@pytest.mark.parametrize("samples", [24, 200])
def test_order_and_names_of_samples_change_nothing(samples):
  answers, correct = _pool(10, samples, seed=2)
  ks = [2, 3, 20, samples]
  expected = estimators.majority_at_k(answers, correct, ks, draws=50)
  order = np.random.default_rng(3).permutation(samples)
  names = np.array([40, 7, 19, 3, 0, 11, -1])  # -1 stays -1
  got = estimators.majority_at_k(
    names[answers[:, order]], correct[:, order], ks, draws=50
  )
  np.testing.assert_array_equal(got, expected)
  np.testing.assert_array_equal(
    estimators.pass_at_k(correct[:, order], ks),
    estimators.pass_at_k(correct, ks),
  )


@pytest.mark.parametrize("samples", [24, 200])
def test_other_questions_and_budgets_change_nothing(samples):
  answers, correct = _pool(10, samples, seed=4)
  whole = estimators.majority_at_k(answers, correct, [2, 5, 20], draws=50)
  part = estimators.majority_at_k(answers[4:6], correct[4:6], [20], draws=50)
  np.testing.assert_array_equal(part[:, 0], whole[4:6, 2])


def test_the_seed_draws_other_subsets():
  answers, correct = _pool(10, 200, seed=5)
  first = estimators.majority_at_k(answers, correct, [50], seed=0, draws=50)
  second = estimators.majority_at_k(answers, correct, [50], seed=1, draws=50)
  assert (first != second).any()


def test_budgets_come_back_in_the_order_asked():
  answers, correct = _pool(5, 12, seed=6)
  forth = estimators.majority_at_k(answers, correct, [1, 4, 12], draws=50)
  back = estimators.majority_at_k(answers, correct, [12, 4, 1], draws=50)
  np.testing.assert_array_equal(back, forth[:, ::-1])


@pytest.mark.parametrize("k", [0, 8, -1])
def test_a_budget_outside_the_pool_is_refused(k):
  with pytest.raises(errors.InputError, match=f"k = {k} .* 7 samples"):
    estimators.pass_at_k(_CORRECT, [1, k])
  with pytest.raises(errors.InputError, match=f"k = {k} .* 7 samples"):
    estimators.majority_at_k(_ANSWERS, _CORRECT, [1, k])


def test_no_draws_are_refused():
  with pytest.raises(errors.InputError, match="draws"):
    estimators.majority_at_k(_ANSWERS, _CORRECT, [2], draws=0)
