import itertools
import json

import numpy as np
import pytest

from tts_jax import errors
from tts_jax.scaling import (
  choices,
  difficulty,
  intervals,
  verification,
  verifier_summary,
)


def _auc(score, label):
  right = [s for s, y in zip(score, label, strict=True) if y > 0.5]
  wrong = [s for s, y in zip(score, label, strict=True) if y <= 0.5]
  wins = [
    1.0 if a > b else 0.5 if a == b else 0.0
    for a, b in itertools.product(right, wrong)
  ]
  return np.mean(wins) if wins else np.nan


def _pool(questions=30, samples=8, steps=3, seed=0):
  """A pool whose verifier knows something, and log-probabilities less."""
  rng = np.random.default_rng(seed)
  correct = rng.random((questions, samples)) < rng.beta(1, 1, (questions, 1))
  answers = np.where(correct, 0, rng.integers(-1, 4, correct.shape))
  answers = np.where(~correct & (answers == 0), 1, answers).astype(np.int32)
  count = rng.integers(1, steps + 1, correct.shape).astype(np.int32)
  logit = rng.normal(size=(*correct.shape, steps)) + 2 * correct[..., None] - 1
  logprob = rng.normal(size=correct.shape) + 0.5 * correct - 5
  return {
    "question_ids": [f"q{index}" for index in range(questions)],
    "answers": answers,
    "correct": correct,
    "step_score": (1 / (1 + np.exp(-logit))).astype(np.float32),
    "step_count": count,
    "logprob": np.minimum(logprob, 0.0),
    "ks": [1, 2, 4, samples],
    "draws": 20,
  }


def test_auc_by_hand():
  score = np.array([0.9, 0.8, 0.8, 0.1])
  label = np.array([True, False, True, False])
  # Pairs: 0.9 over both, 0.8 level with one and over the other.
  assert verification.auc(score, label) == 3.5 / 4
  assert verification.auc(-score, label) == 0.5 / 4


def test_auc_agrees_with_all_pairs():
  rng = np.random.default_rng(0)
  for _ in range(30):
    score, label = rng.integers(0, 5, 12) / 4, rng.random(12)
    got = verification.auc(score, label)
    np.testing.assert_allclose(got, _auc(score, label))


def test_auc_of_soft_labels_takes_those_above_the_threshold():
  score, label = np.array([0.2, 0.4, 0.6]), np.array([0.0, 0.5, 0.75])
  assert verification.auc(score, label) == 1.0
  assert verification.auc(-score, label, threshold=0.25) == 0.0
  assert np.isnan(verification.auc(score, label, threshold=0.8))


def test_auc_within_a_question_ignores_how_hard_it_is():
  correct = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]], bool)
  # Knows the question and nothing else.
  score = correct.mean(1, keepdims=True) * np.ones((1, 4))
  assert verification.auc(score.ravel(), correct.ravel()) > 0.75
  within = verification.auc_within_question(score, correct)
  np.testing.assert_array_equal(within, [0.5, 0.5, np.nan])
  valid = np.ones((3, 4), bool)
  valid[1, 0] = False
  within = verification.auc_within_question(score, correct, valid)
  np.testing.assert_array_equal(within, [0.5, np.nan, np.nan])


def test_mean_within_a_question_counts_questions_or_pairs():
  correct = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], bool)
  within = np.array([1.0, 0.3, np.nan])
  alike = verification.mean_within(within)
  by_pairs = verification.mean_within(within, correct)
  np.testing.assert_allclose(alike.mean, 0.65)
  np.testing.assert_allclose(by_pairs.mean, (4 * 1.0 + 3 * 0.3) / 7)
  assert verification.mean_within(within[2:]) is None


def test_calibration_by_hand():
  score = np.array([0.0, 0.05, 0.95, 1.0, 0.55])
  label = np.array([0.0, 1.0, 1.0, 1.0, 0.25])
  got = verification.calibration(score, label)
  assert got.count.tolist() == [2, 0, 0, 0, 0, 1, 0, 0, 0, 2]
  np.testing.assert_allclose(got.score[[0, 5, 9]], [0.025, 0.55, 0.975])
  np.testing.assert_allclose(got.label[[0, 5, 9]], [0.5, 0.25, 1.0])
  assert np.isnan(got.score[1])
  # (2 x 0.475 + 1 x 0.3 + 2 x 0.025) / 5
  np.testing.assert_allclose(got.error, 0.26)
  assert [point["count"] for point in got.curve()] == [2, 1, 2]


def test_trap_14_logits_are_refused_by_calibration():
  with pytest.raises(errors.InputError, match="sigmoid"):
    verification.calibration(np.array([-2.0, 3.0]), np.array([0.0, 1.0]))


def test_first_error_by_hand():
  step_score = np.array(
    [[0.9, 0.2, 0.1], [0.9, 0.8, 0.1], [0.4, 0.9, 0.9], [0.6, 0.7, 0.9]]
  )
  count = np.array([3, 2, 3, 3])
  predicted = verification.first_below(step_score, count, 0.5)
  assert predicted.tolist() == [1, -1, 0, -1]
  # Two erroneous solutions, one found; two right ones, one passed... and both.
  got = verification.first_error(predicted, np.array([1, -1, 2, -1]))
  assert (got.erroneous, got.right) == (0.5, 1.0)
  np.testing.assert_allclose(got.f1, 2 * 0.5 / 1.5)
  none = verification.first_error(np.array([-1, 0]), np.array([0, -1]))
  assert none == verification.FirstError(erroneous=0.0, right=0.0, f1=0.0)


def test_the_best_threshold_parts_what_can_be_parted():
  step_score = np.array([[0.9, 0.31], [0.7, 0.6], [0.28, 0.9]])
  truth = np.array([1, -1, 0])
  chosen = verification.best_threshold(step_score, np.full(3, 2), truth)
  assert 0.31 < chosen <= 0.6
  predicted = verification.first_below(step_score, np.full(3, 2), chosen)
  assert verification.first_error(predicted, truth).f1 == 1.0


def test_trap_12_thresholds_are_chosen_on_other_questions():
  # Even questions are parted at 0.2, odd ones at 0.8: neither serves the other.
  step_score = np.array([[[0.1], [0.3]], [[0.7], [0.9]]] * 3)
  truth = np.array([[0, -1]] * 6)
  count = np.ones((6, 2), int)
  got = verification.cross_fitted_first_error(step_score, count, truth)
  even, odd = got["thresholds"]
  assert 0.7 < even <= 0.9
  assert 0.1 < odd <= 0.3
  # At 0.8 all of the even ones fail; at 0.2 all of the odd ones pass.
  assert (got["erroneous"], got["right"]) == (0.5, 0.5)
  with pytest.raises(errors.InputError, match="1 questions"):
    verification.cross_fitted_first_error(step_score[:1], count[:1], truth[:1])


def test_summary_is_what_its_parts_say():
  pool = _pool()
  numbers = verifier_summary.summarise(**pool)
  json.dumps(numbers, allow_nan=False)
  correct, count = pool["correct"], pool["step_count"]
  live = np.arange(3) < count[..., None]
  final = np.take_along_axis(pool["step_score"], count[..., None] - 1, 2)[
    ..., 0
  ]
  steps = zip(pool["step_score"], correct, live, strict=True)
  flat = [
    (s, float(right))
    for scores, rights, there in steps
    for row, right, real in zip(scores, rights, there, strict=True)
    for s, used in zip(row, real, strict=True)
    if used
  ]
  np.testing.assert_allclose(numbers["auc"], _auc(*zip(*flat, strict=True)))
  for name, score in (("", final), ("logprob_", pool["logprob"])):
    within = [_auc(s, c) for s, c in zip(score, correct, strict=True)]
    mean = np.nanmean(within)
    key = f"{name}auc_within_question"
    np.testing.assert_allclose(numbers[key], mean)
    assert numbers[f"{key}_interval"]["mean"] == pytest.approx(mean)
  gain = numbers["auc_within_question"] - numbers["logprob_auc_within_question"]
  assert numbers["auc_within_question_gain"]["mean"] == pytest.approx(gain)
  best = choices.best_of_n_at_k(final, correct, [8], answers=pool["answers"])
  shown = numbers["curves"]["best_of_n"]["8"]
  assert shown == intervals.bootstrap(best[:, 0]).summary()
  assert numbers["aggregations"]["last"]["best_of_n"]["8"] == shown
  curves, difference = numbers["curves"], numbers["differences"]
  assert difference["weighted_minus_majority"]["4"]["mean"] == pytest.approx(
    curves["best_of_n_weighted"]["4"]["mean"] - curves["majority"]["4"]["mean"]
  )
  assert set(numbers["aggregations"]) == {"last", "least", "product"}
  assert "first_error" not in numbers


def test_summary_takes_soft_labels_where_steps_have_them():
  pool = _pool()
  label = np.full(pool["step_score"].shape, np.nan)
  label[:, :, 0] = pool["step_score"][:, :, 0]
  numbers = verifier_summary.summarise(**pool, step_label=label)
  # Steps that are labelled with their own scores are judged perfectly.
  assert numbers["auc"] == 1.0
  assert numbers["ece"] == pytest.approx(0.0)
  assert numbers["auc_final"] < 1.0


def test_summary_finds_first_errors_with_log_probabilities_beside():
  pool = _pool()
  truth = np.where(pool["correct"], -1, pool["step_count"] - 1)
  step_logprob = np.log(pool["step_score"])
  numbers = verifier_summary.summarise(
    **pool, first_wrong=truth, step_logprob=step_logprob
  )
  # The baseline was made the verifier's equal.
  ours, theirs = (
    {key: value for key, value in numbers[name].items() if key != "thresholds"}
    for name in ("first_error", "logprob_first_error")
  )
  assert ours == pytest.approx(theirs)
  assert 0 < ours["f1"] < 1
  assert numbers["logprob_auc"] != numbers["logprob_auc_final"]


def test_trap_11_scores_that_are_nan_are_refused():
  pool = _pool()
  pool["step_score"][3, 0, 0] = np.nan
  with pytest.raises(errors.InputError, match="question 'q3': NaN"):
    verifier_summary.summarise(**pool)
  with pytest.raises(errors.InputError, match="1 of 2 scores are NaN"):
    verification.auc(np.array([0.1, np.nan]), np.array([True, False]))


def test_a_voting_solution_without_steps_is_refused_and_a_silent_one_counted():
  pool = _pool()
  pool["answers"][4, 1], pool["correct"][4, 1] = -1, False
  pool["step_count"][4, 1] = 0
  numbers = verifier_summary.summarise(**pool)
  assert numbers["unscored"] == 1
  pool["answers"][4, 1] = 2
  with pytest.raises(errors.InputError, match="question 'q4': NaN"):
    verifier_summary.summarise(**pool)


def test_trap_13_bins_hold_for_choices_by_score_too():
  pool = _pool(questions=23)
  score = pool["step_score"][:, :, 0]
  bins = difficulty.cross_fitted(
    pool["correct"],
    lambda held: choices.best_of_n_at_k(
      score[:, held], pool["correct"][:, held], [1, 4]
    ),
  )
  # Sizes differ by one at most, whatever the ties at the edges.
  assert sorted(one.questions for one in bins) == [4, 4, 5, 5, 5]
  singles = [float(one.score.mean[0]) for one in bins]
  assert singles[0] > singles[-1]


def test_trap_15_questions_without_answers_are_counted_wrong():
  pool = _pool()
  pool["answers"][:15], pool["correct"][:15] = -1, False
  numbers = verifier_summary.summarise(**pool)
  for curve in numbers["curves"].values():
    assert curve["8"]["mean"] <= 0.5


def test_nothing_to_measure_is_none_and_not_nan():
  pool = _pool()
  pool["correct"][:] = False
  numbers = verifier_summary.summarise(**pool)
  json.dumps(numbers, allow_nan=False)
  assert numbers["auc"] is None
  assert numbers["auc_within_question"] is None
  assert numbers["auc_within_question_gain"] is None


def test_a_regime_is_its_verifiers_row():
  def interval(mean):
    return {"mean": mean, "low": mean - 0.1, "high": mean + 0.1}

  def curve(first):
    return {"1": interval(first), "4": interval(first + 0.2)}

  measured = {
    "auc": 0.9,
    "ece": None,
    "auc_within_question_interval": interval(0.8),
    "logprob_auc_within_question_interval": interval(0.7),
    "curves": {
      "best_of_n": curve(0.3),
      "best_of_n_weighted": curve(0.4),
      "majority": curve(0.5),
    },
  }
  row = verifier_summary.regime(measured, 4)
  assert row["pass_at_1"] == interval(0.3)
  assert row["best_of_n_weighted"] == interval(0.4 + 0.2)
  assert row["majority"] == interval(0.5 + 0.2)
  assert row["curves"] == measured["curves"]
  table = verifier_summary.regimes_table({"frozen": row}).splitlines()
  assert table[-1] == (
    "| frozen | 0.900 | 0.800 [0.700, 0.900] | 0.700 [0.600, 0.800] | none"
    " | 0.600 [0.500, 0.700] | 0.700 [0.600, 0.800] | 0.300 [0.200, 0.400] |"
  )
