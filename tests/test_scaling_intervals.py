import numpy as np
import pytest

from tts_jax import errors
from tts_jax.scaling import intervals


def _oracle(values, seed, draws):
  rng = np.random.default_rng(seed)
  means = [
    np.mean([values[i] for i in rng.integers(len(values), size=len(values))])
    for _ in range(draws)
  ]
  return np.quantile(means, [0.025, 0.975])


def test_interval_is_the_percentiles_of_resampled_means():
  values = np.random.default_rng(0).random(40)
  got = intervals.bootstrap(values, seed=3, draws=2_500)
  low, high = _oracle(values, seed=3, draws=2_500)
  np.testing.assert_allclose(got.mean, values.mean())
  np.testing.assert_allclose([got.low, got.high], [low, high])


def test_interval_covers_the_truth_about_as_often_as_it_says():
  rng = np.random.default_rng(1)
  hits = 0
  for trial in range(300):
    values = (rng.random(80) < 0.4).astype(float)
    got = intervals.bootstrap(values, seed=trial, draws=400, level=0.9)
    hits += bool(got.low <= 0.4 <= got.high)
  # Four standard errors of 300 trials around 0.9, and what a percentile
  # interval loses at 80 questions.
  assert 0.80 <= hits / 300 <= 0.97


def test_columns_share_each_resampling():
  values = np.random.default_rng(2).random((30, 2))
  both = intervals.bootstrap(values, seed=5, draws=500)
  one = intervals.bootstrap(values[:, 1], seed=5, draws=500)
  assert both.low.shape == (2,)
  assert both.summary(1) == pytest.approx(one.summary())


def test_same_seed_same_interval_and_another_seed_another():
  values = np.random.default_rng(3).random(30)
  first, again, other = (
    intervals.bootstrap(values, seed=seed, draws=500).summary()
    for seed in (0, 0, 1)
  )
  assert first == again
  assert first != other


def test_a_paired_difference_forgets_what_both_share():
  rng = np.random.default_rng(4)
  shared = rng.random(50)
  got = intervals.paired_difference(shared + 0.25, shared, draws=500)
  np.testing.assert_allclose([got.mean, got.low, got.high], 0.25)


def test_ratio_weighs_a_question_by_its_observations():
  totals, counts = np.array([1.0, 0.0, 2.0]), np.array([1, 1, 2])
  got = intervals.bootstrap_ratio(totals, counts, seed=0, draws=500)
  assert got.mean == 0.75
  assert 0 <= got.low < 0.75 < got.high <= 1


@pytest.mark.parametrize(
  ("values", "options", "match"),
  [
    (np.zeros(0), {}, "at least 1 question"),
    (np.zeros(3), {"draws": 0}, "draws = 0"),
    (np.zeros(3), {"level": 1.0}, "level = 1.0"),
  ],
)
def test_impossible_requests_are_refused(values, options, match):
  with pytest.raises(errors.InputError, match=match):
    intervals.bootstrap(values, **options)
