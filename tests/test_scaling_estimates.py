"""Estimates of difficulty, their bins and what they cost."""

import dataclasses

import numpy as np
import pytest

from tts_jax import errors
from tts_jax.scaling import bin_edges, difficulty, estimates, ranks, sweep


def _samples(questions=40, samples=16, seed=0):
  rng = np.random.default_rng(seed)
  rate = rng.beta(0.6, 0.6, questions)
  correct = rng.random((questions, samples)) < rate[:, None]
  answers = np.where(correct, 0, rng.integers(1, 4, correct.shape))
  noise = rng.random(correct.shape)
  return sweep.Samples(
    question_ids=tuple(f"q{i}" for i in range(questions)),
    answers=answers.astype(np.int32),
    correct=correct,
    score=(0.6 * correct + 0.4 * noise).astype(np.float32),
    length=np.full(correct.shape, 7, np.int32),
    prompt_length=np.full(questions, 5),
  )


def test_without_ties_edges_make_the_bins_of_equal_size():
  scores = np.random.default_rng(0).random(53)
  found = bin_edges.place(scores, bin_edges.edges(scores))
  np.testing.assert_array_equal(found, difficulty.quantile_bins(scores))


def test_ties_share_the_easier_bin_as_in_the_paper():
  # 95 questions at nothing would be 100 with five that tie across the edge.
  scores = np.concatenate([np.linspace(1, 0.3, 395), np.full(10, 0.2)])
  scores = np.concatenate([scores, np.linspace(0.1, 0, 95)])
  found = bin_edges.place(scores, bin_edges.edges(scores))
  assert bin_edges.sizes(found) == [100, 100, 100, 105, 95]
  apart = difficulty.quantile_bins(scores)
  assert bin_edges.sizes(apart) == [100] * 5


def test_a_tie_over_a_whole_bin_leaves_it_empty():
  scores = np.array([1.0] * 5 + [0.5] * 4 + [0.0])
  edges = bin_edges.edges(scores)
  assert (np.diff(edges) <= 0).all()
  found = bin_edges.place(scores, edges)
  assert bin_edges.sizes(found) == [5, 0, 4, 0, 1]
  assert bin_edges.sizes(bin_edges.place(np.ones(9), np.ones(4))) == [
    *[9, 0, 0, 0, 0]
  ]


def test_edges_place_a_question_never_seen():
  edges = bin_edges.edges(np.array([0.9, 0.7, 0.5, 0.3, 0.1]))
  np.testing.assert_allclose(edges, [0.8, 0.6, 0.4, 0.2])
  for score, bin_ in ((2.0, 0), (0.81, 0), (0.79, 1), (0.41, 2), (-1.0, 4)):
    assert bin_edges.place(score, edges) == bin_


def test_what_is_no_number_has_no_bin():
  with pytest.raises(errors.InputError, match=r"question 1 .* is nan"):
    bin_edges.edges(np.array([0.1, np.nan, 0.3, 0.4, 0.5]))
  with pytest.raises(errors.InputError, match="must be a finite number"):
    bin_edges.place(np.inf, np.array([0.5]))
  with pytest.raises(errors.InputError, match=r"question 2 .* is nan"):
    estimates.given("head", np.array([0.0, 1.0, np.nan]), np.zeros(3))


def test_estimates_never_read_the_samples_that_are_scored():
  plain = _samples()
  flops = np.full(40, 3.0)
  for fold, (_, held) in enumerate(difficulty.FOLDS):
    spoiled = dataclasses.replace(
      plain, correct=plain.correct.copy(), score=plain.score.copy()
    )
    spoiled.correct[:, held] = ~spoiled.correct[:, held]
    spoiled.score[:, held] = 0.123
    for make in (
      lambda one: estimates.oracle(one.correct),
      estimates.predicted,
      lambda one: estimates.first_few(one, 4, flops),
    ):
      before, after = make(plain).value, make(spoiled).value
      np.testing.assert_array_equal(before[fold], after[fold])
      assert (before[1 - fold] != after[1 - fold]).any()


def test_estimates_agree_with_plain_loops():
  samples = _samples()
  oracle = estimates.oracle(samples.correct).value
  predicted = estimates.predicted(samples).value
  few = estimates.first_few(samples, 3, np.full(40, 6.0))
  for fold in (0, 1):
    for q in range(40):
      seen = range(fold, 16, 2)
      right = [samples.correct[q][i] for i in seen]
      score = [samples.score[q][i] for i in seen]
      assert oracle[fold, q] == pytest.approx(np.mean(right))
      assert predicted[fold, q] == pytest.approx(np.mean(score))
      assert few.value[fold, q] == pytest.approx(np.mean(score[:3]))
  assert (few.name, few.generations, few.flops[0]) == ("first_3", 3, 6.0)


def test_a_sample_without_an_answer_is_wrong_and_needs_no_score():
  samples = _samples()
  samples.answers[0, 0] = -1
  samples.score[0, 0] = np.nan
  rest = samples.score[0, 2::2].sum() / 8
  found = estimates.predicted(samples).value[0, 0]
  assert found == pytest.approx(rest)
  samples.score[3, 5] = np.nan
  with pytest.raises(errors.InputError, match="q3: a sample's score is NaN"):
    estimates.predicted(samples)


def test_a_pool_too_small_for_an_estimate_is_refused():
  with pytest.raises(errors.InputError, match="at least 2"):
    estimates.oracle(np.ones((5, 1), bool))
  with pytest.raises(errors.InputError, match=r"9 samples .* 1 to 8"):
    estimates.first_few(_samples(), 9, np.zeros(40))


def _spearman(a, b):
  def rank(values):
    return [
      sum(o < v for o in values) + (sum(o == v for o in values) + 1) / 2
      for v in values
    ]

  return np.corrcoef(rank(a), rank(b))[0, 1]


def test_rank_correlation_agrees_with_plain_loops_in_every_resampling():
  rng = np.random.default_rng(3)
  a, b = rng.integers(0, 6, (2, 30)).astype(float)
  got = ranks.correlation(a, b, seed=5, draws=400)
  assert got.mean == pytest.approx(_spearman(a, b))
  draws = np.random.default_rng(5).integers(30, size=(400, 30))
  found = [_spearman(a[pick], b[pick]) for pick in draws]
  want = np.quantile(found, [0.025, 0.975])
  np.testing.assert_allclose([got.low, got.high], want)


def test_rank_correlation_knows_order_alone():
  a = np.linspace(-2, 2, 25)
  assert ranks.correlation(a, np.exp(a)).mean == pytest.approx(1)
  assert ranks.correlation(a, -(a**3)).mean == pytest.approx(-1)
  assert ranks.correlation(a, np.ones(25)).mean == 0
  both = ranks.correlation(np.stack([a, a]), np.stack([a, -a]))
  assert both.mean == pytest.approx(0)


def test_comparison_tells_bins_and_cost():
  samples = _samples(200)
  found = estimates.compare(
    [
      estimates.oracle(samples.correct),
      estimates.predicted(samples),
      estimates.first_few(samples, 2, np.full(200, 8.0)),
      estimates.none(200),
    ],
    samples.correct,
  )
  rho = {k: v["rank_correlation"]["mean"] for k, v in found.items()}
  assert rho["oracle"] > rho["predicted"] > rho["first_2"] > 0.3
  assert rho["none"] == 0
  assert found["first_2"]["generations"] == 2
  assert found["first_2"]["flops"] == 8.0
  assert found["none"]["sizes"] == [[200, 0, 0, 0, 0]] * 2
  for one in found.values():
    assert one["sizes_apart"] == [[40] * 5] * 2
    assert [sum(sizes) for sizes in one["sizes"]] == [200, 200]
