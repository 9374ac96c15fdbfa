import numpy as np
import pytest

from tts_jax import errors
from tts_jax.scaling import difficulty, estimators, summary


def _pool(questions, samples, seed=0):
  rng = np.random.default_rng(seed)
  rate = rng.beta(0.6, 0.6, questions)
  correct = rng.random((questions, samples)) < rate[:, None]
  wrong = rng.integers(1, 5, (questions, samples))
  return np.where(correct, 0, wrong).astype(np.int32), correct


def test_bins_are_even_and_ordered_from_easy_to_hard():
  scores = np.random.default_rng(0).random(52)
  bins = difficulty.quantile_bins(scores)
  assert np.bincount(bins).tolist() in (
    [11, 10, 11, 10, 10],
    [11, 11, 10, 10, 10],
  )
  for easier in range(4):
    assert scores[bins == easier].min() >= scores[bins == easier + 1].max()


def test_ties_are_parted_by_place():
  scores = np.array([0.5, 1.0, 0.5, 0.5, 0.5, 0.0])
  assert difficulty.quantile_bins(scores, 3).tolist() == [0, 0, 1, 1, 2, 2]


def test_fewer_questions_than_bins_are_refused():
  with pytest.raises(errors.InputError, match=r"4 questions .* 5 difficulty"):
    difficulty.quantile_bins(np.zeros(4))


def test_one_sample_cannot_be_halved():
  with pytest.raises(errors.InputError, match="at least 2"):
    difficulty.binned_pass_at_1(np.ones((5, 1), bool))


def test_cross_fit_agrees_with_plain_loops():
  _, correct = _pool(23, 9)
  got = difficulty.binned_pass_at_1(correct)
  expected = [[] for _ in range(5)]
  for seen, held in ((0, 1), (1, 0)):
    score = [np.mean(row[seen::2]) for row in correct]
    order = sorted(range(23), key=lambda q: (-score[q], q))
    for place, q in enumerate(order):
      expected[place * 5 // 23].append(np.mean(correct[q][held::2]))
  for bin_score, values in zip(got, expected, strict=True):
    assert 2 * bin_score.questions == len(values)
    assert bin_score.score.mean == pytest.approx(np.mean(values))
    assert bin_score.score.low <= bin_score.score.mean <= bin_score.score.high


def test_equal_questions_score_alike_in_every_bin():
  # All questions have the same difficulty, so the bins sort pure luck. On the
  # samples that placed them the outer bins differ widely; held out, hardly.
  correct = np.random.default_rng(1).random((1000, 16)) < 0.5
  held_out = [b.score.mean for b in difficulty.binned_pass_at_1(correct)]
  placed = difficulty.quantile_bins(correct.mean(1))
  naive = [correct[placed == b].mean() for b in range(5)]
  assert naive[0] - naive[4] > 0.3
  np.testing.assert_allclose(held_out, 0.5, atol=0.04)


def test_each_fold_scores_only_what_it_did_not_see():
  _, correct = _pool(10, 6)
  calls = []
  difficulty.cross_fitted(
    correct, lambda held: calls.append(held) or correct[:, held].mean(1)
  )
  columns = [np.arange(6)[held].tolist() for held in calls]
  assert columns == [[1, 3, 5], [0, 2, 4]]


def test_one_sample_by_bin_is_the_same_by_every_estimator():
  answers, correct = _pool(40, 12)
  plain = difficulty.binned_pass_at_1(correct)
  passed = difficulty.binned_pass_at_k(correct, [1, 4])
  votes = difficulty.binned_majority_at_k(answers, correct, [1, 4], draws=50)
  for one, each, vote in zip(plain, passed, votes, strict=True):
    assert each.score.mean[0] == pytest.approx(float(one.score.mean))
    assert vote.score.mean[0] == pytest.approx(float(one.score.mean))
    assert each.score.mean[1] >= each.score.mean[0]


def test_a_budget_above_half_the_pool_is_refused():
  _, correct = _pool(10, 12)
  with pytest.raises(errors.InputError, match=r"k = 8 .* 6 samples"):
    difficulty.binned_pass_at_k(correct, [8])


def test_summary_agrees_with_the_estimators():
  answers, correct = _pool(30, 130)
  got = summary.summarise(answers, correct, [4, 64, 128], 0, draws=50)
  assert got["pass_at_1"] == pytest.approx(correct.mean())
  assert list(got["pass_at_k"]) == ["1", "4", "64", "128"]
  assert got["pass_at_k"]["4"]["mean"] == pytest.approx(
    estimators.pass_at_k(correct, [4]).mean()
  )
  assert list(got["room"]) == ["64", "128"]
  for k, room in got["room"].items():
    gap = got["pass_at_k"][k]["mean"] - got["majority_at_k"][k]["mean"]
    assert room["mean"] == pytest.approx(gap)
  assert [b["questions"] for b in got["bins"]] == [6] * 5
  assert list(got["bins"][0]["pass_at_k"]) == ["1", "4", "64"]
  for one in got["bins"]:
    assert one["low"] <= one["pass_at_1"] <= one["high"]
  overall = np.mean([one["pass_at_1"] for one in got["bins"]])
  assert overall == pytest.approx(got["pass_at_1"])
