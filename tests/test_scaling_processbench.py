"""ProcessBench's measure, against plain loops."""

import made_processbench as made
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.scaling import processbench, processbench_summary

# Thresholds between all scores that are made, and beyond.
_FINE = [(2 * i + 1) / 40 for i in range(20)]


def _predict(scored, row, threshold):
  for step in range(scored.step_count[row]):
    if scored.step_score[row, step] < threshold:
      return step
  return -1


def _measures(scored, threshold, rows):
  """Accuracies and F1 of rows by plain loops; an absent kind counts as 0."""
  hits, sizes = {True: 0, False: 0}, {True: 0, False: 0}
  for row in rows:
    faulty = bool(scored.label[row] >= 0)
    sizes[faulty] += 1
    hits[faulty] += _predict(scored, row, threshold[row]) == scored.label[row]
  a, b = (hits[kind] / max(sizes[kind], 1) for kind in (True, False))
  return a, b, 2 * a * b / (a + b) if a + b else 0.0


@pytest.mark.parametrize("seed", range(5))
def test_curves_are_those_of_plain_loops(seed):
  scored = made.scored(seed)
  thresholds = [0.0, *_FINE, *(i / 20 for i in range(1, 21)), 1.5]
  found = processbench.curve(scored, np.array(thresholds))
  for at, threshold in enumerate(thresholds):
    # 0.05 of float32 and of float64 differ: the loops compare as the curve.
    exact = processbench.Scored(
      **vars(scored) | {"step_score": scored.step_score.astype(np.float64)}
    )
    want = _measures(exact, np.full(30, threshold), range(30))
    got = [found[name][at] for name in processbench.MEASURES]
    np.testing.assert_allclose(got, want, atol=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_no_threshold_does_better(seed):
  scored = made.scored(seed)
  best = processbench.best_threshold(scored)
  every = [_measures(scored, np.full(30, t), range(30))[2] for t in _FINE]
  mine = _measures(scored, np.full(30, best), range(30))[2]
  assert mine == pytest.approx(max(every), abs=1e-12)
  # Of equals the lowest: no lower threshold does as well.
  lower = [f1 for f1, t in zip(every, _FINE, strict=True) if t < best - 0.03]
  assert all(f1 < mine - 1e-12 for f1 in lower)


def test_a_case_worked_out_by_hand():
  scored = made.of_scores(
    [[0.9, 0.2], [0.9, 0.6], [0.4, 0.1], [0.8]], [1, 1, 0, -1]
  )
  # Up to 0.2: nothing; to 0.4: the first; to 0.6: the first and the third; to
  # 0.8 all; to 0.9 the three, but the right one is not passed.
  found = processbench.curve(scored, np.array([0.15, 0.3, 0.5, 0.7, 0.85]))
  thirds = [0, 1 / 3, 2 / 3, 1, 1]
  np.testing.assert_allclose(found["accuracy_erroneous"], thirds)
  np.testing.assert_allclose(found["accuracy_correct"], [1, 1, 1, 1, 0])
  np.testing.assert_allclose(found["f1"], [0, 0.5, 0.8, 1, 0])
  assert processbench.best_threshold(scored) == pytest.approx(0.7)
  low, high = processbench.spans(scored)
  np.testing.assert_allclose(low, [0.2, 0.6, 0.4, -np.inf])
  np.testing.assert_allclose(high, [0.9, 0.9, np.inf, 0.8])


def test_a_score_at_the_threshold_passes():
  scored = made.of_scores([[0.5], [0.5]], [-1, 0])
  found = processbench.curve(scored, np.array([0.5, 0.51]))
  assert found["accuracy_correct"].tolist() == [1, 0]
  assert found["accuracy_erroneous"].tolist() == [0, 1]


def test_equal_scores_still_have_a_threshold():
  assert processbench.best_threshold(made.of_scores([[0], [1]], [0, -1])) == 0.5
  # All thresholds are as bad; the lowest one that differs is taken.
  assert processbench.best_threshold(made.of_scores([[1], [0]], [0, -1])) == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_intervals_are_those_of_plain_loops(seed):
  scored, draws = made.scored(seed), 50
  used = np.random.default_rng(seed).choice([0.275, 0.525], 30)
  found = processbench.measure(scored, used, seed=seed, draws=draws)
  problems = int(scored.problem.max()) + 1
  rows_of = [np.flatnonzero(scored.problem == p) for p in range(problems)]
  picks = np.random.default_rng(seed).integers(problems, size=(draws, problems))
  values = [
    _measures(scored, used, [row for p in pick for row in rows_of[p]])
    for pick in picks
  ]
  whole = _measures(scored, used, range(30))
  for at, name in enumerate(processbench.MEASURES):
    column = [one[at] for one in values]
    low, high = np.quantile(column, [0.025, 0.975])
    np.testing.assert_allclose(found[name].mean, whole[at], atol=1e-12)
    np.testing.assert_allclose(found[name].low, low, atol=1e-12)
    np.testing.assert_allclose(found[name].high, high, atol=1e-12)
    assert low < high


def test_halves_choose_for_each_other():
  scored = made.scored(3)
  half = processbench.halves(scored.problem, 1)
  used = processbench.cross_fitted(scored, 1)
  for mine in (0, 1):
    chosen = processbench.best_threshold(scored.part(half != mine))
    assert (used[half == mine] == chosen).all()
  # Solutions of one problem are in one half, and halves are of like size.
  for problem in range(int(scored.problem.max()) + 1):
    assert len(set(half[scored.problem == problem])) == 1
  sizes = [len(np.unique(scored.problem[half == mine])) for mine in (0, 1)]
  assert abs(sizes[0] - sizes[1]) <= 1
  assert not np.array_equal(half, processbench.halves(scored.problem, 2))


def test_a_half_does_not_choose_for_itself():
  # One half now goes by a threshold of its own: it helps the other alone.
  scored = made.scored(4)
  half = processbench.halves(scored.problem, 0)
  ruled = [_predict(scored, row, 0.225) for row in range(30)]
  label = np.where(half == 0, ruled, scored.label)
  other = processbench.Scored(**vars(scored) | {"label": label})
  before = processbench.cross_fitted(scored, 0)
  after = processbench.cross_fitted(other, 0)
  np.testing.assert_array_equal(before[half == 0], after[half == 0])
  assert (before[half == 1] != after[half == 1]).all()
  (chosen,) = set(after[half == 1])
  found = processbench.curve(other.part(half == 0), np.array([chosen]))
  assert found["f1"] == [1]


@pytest.mark.parametrize("label", [[-1, -1], [0, 0]])
def test_one_kind_alone_chooses_nothing(label):
  scored = made.of_scores([[0.3], [0.8]], label)
  for function in (
    processbench.best_threshold,
    lambda one: processbench.curve(one, np.array([0.5])),
    lambda one: processbench.cross_fitted(one, 0),
  ):
    with pytest.raises(errors.InputError, match="have a wrong step; to choose"):
      function(scored)


def test_one_kind_alone_is_measured_as_far_as_it_goes():
  found = processbench.measure(
    made.of_scores([[0.3], [0.8]], [-1, -1]), np.full(2, 0.5)
  )
  assert found["accuracy_correct"].mean == 0.5
  assert found["accuracy_erroneous"] is None
  assert found["f1"] is None
  scored = {
    "a": made.of_scores([[0.3], [0.8]], [0, -1]),
    "b": made.of_scores([[0.3], [0.8]], [0, 0]),
  }
  summary = processbench_summary.summarise(
    scored, choosing=None, threshold=0.5, draws=10
  )
  assert summary["subsets"]["a"]["f1"]["mean"] == 1
  b = summary["subsets"]["b"]
  assert b["accuracy_erroneous"]["mean"] == 0.5
  assert b["accuracy_correct"] is b["f1"] is b["curve"] is None
  assert summary["average_f1"] is None
  said = processbench_summary.headline(summary).splitlines()
  assert said[1] == (
    "b: F1 none, first error found 0.500 of 2, passed none of 0, threshold"
    " 0.500 (given)"
  )


@pytest.mark.parametrize("bad", [np.nan, 1.5, -0.1])
def test_what_is_no_probability_is_refused(bad):
  with pytest.raises(errors.InputError, match="probabilities"):
    made.of_scores([[0.5, bad]], [0])


def test_a_file_chooses_for_the_others_and_not_for_itself():
  scored = {name: made.scored(seed) for seed, name in enumerate("abc")}
  summary = processbench_summary.summarise(
    scored, choosing="b", seed=5, draws=20
  )
  chosen = processbench.best_threshold(scored["b"])
  subsets = summary["subsets"]
  assert [one["threshold_from"] for one in subsets.values()] == [
    "b",
    "cross-fitted",
    "b",
  ]
  for name in "ac":
    assert subsets[name]["thresholds"] == [chosen]
    want = _measures(scored[name], np.full(30, chosen), range(30))
    assert subsets[name]["f1"]["mean"] == pytest.approx(want[2])
  used = processbench.cross_fitted(scored["b"], 5)
  assert subsets["b"]["thresholds"] == sorted(set(used))
  want = _measures(scored["b"], used, range(30))
  assert subsets["b"]["f1"]["mean"] == pytest.approx(want[2])
  assert summary["average_f1"] == pytest.approx(
    np.mean([one["f1"]["mean"] for one in subsets.values()])
  )
  assert subsets["a"]["erroneous"] == (scored["a"].label >= 0).sum()


@pytest.mark.parametrize(
  ("settings", "said"),
  [
    (("", 1.5), "config.threshold is 1.5; it must be above 0 and at most 1"),
    (("", -0.5), "config.threshold is -0.5"),
    (("a", 0.5), "but config.threshold 0.5 is given already"),
    (("d", 0.0), "config.choosing is 'd'; it must be one of a, b"),
    (("", 0.0, -1), "config.seed is -1"),
  ],
)
def test_settings_that_do_not_go_are_refused(settings, said):
  with pytest.raises(errors.InputError, match=said):
    processbench_summary.choosing_file(["a", "b"], *settings)


def test_the_choosing_file_is_the_one_named_or_the_first():
  choose = processbench_summary.choosing_file
  assert choose(["a", "b"], "", 0.0) == "a"
  assert choose(["a", "b"], "b", 0.0) == "b"
  assert choose(["a", "b"], "", 0.5) is None


def test_a_file_too_small_to_choose_is_said_before_it_is_scored():
  label, problem = np.array([0, -1, -1, -1]), np.arange(4)
  with pytest.raises(errors.InputError) as info:
    processbench_summary.check(label, problem, name="a.json", seed=0)
  assert "a.json: 0 of 2 solutions in half of it" in str(info.value)
  assert "--config.threshold=0.5" in str(info.value)
  label = np.array([0, -1] * 10)
  processbench_summary.check(label, np.arange(20), name="a.json", seed=0)
