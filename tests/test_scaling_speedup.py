"""Speed-ups on curves whose crossing can be worked out by hand."""

import math

import numpy as np
import pytest

from tts_jax.scaling import speedup


def _curve(means, spent, questions=40):
  return speedup.Curve(
    value=np.tile(np.asarray(means, float), (questions, 1)),
    spent=np.tile(np.asarray(spent, float), (questions, 1)),
  )


_BASE = _curve([0.2, 0.4, 0.6, 0.8], [1, 4, 16, 64])


@pytest.mark.parametrize(
  ("value", "spent", "ratio", "bound"),
  [
    (0.6, 16, 1, None),
    (0.6, 4, 4, None),
    # Halfway between 0.4 and 0.6, halfway between log 4 and log 16.
    (0.5, 2, 4, None),
    (0.8, 16, 4, None),
    (0.9, 16, 4, "at least"),
    (0.2, 1, 1, None),
    (0.1, 2, 0.5, "at most"),
  ],
)
def test_ratio_at_equal_accuracy(value, spent, ratio, bound):
  found = speedup.at_equal_accuracy(_curve([value], [spent]), _BASE, draws=50)
  (one,) = found
  assert one["mean"] == pytest.approx(ratio)
  assert one["low"] == pytest.approx(ratio)
  assert one["high"] == pytest.approx(ratio)
  assert one["bound"] == bound
  assert one["never_reached"] == (1 if bound == "at least" else 0)
  assert one["value"] == pytest.approx(value)
  assert one["spent"] == pytest.approx(spent)


def test_where_the_baseline_falls_its_best_so_far_counts():
  falling = _curve([0.5, 0.7, 0.6, 0.8], [1, 2, 4, 8])
  policy = _curve([0.65, 0.7, 0.75], [1, 1, 1])
  ratios = [
    one["mean"] for one in speedup.at_equal_accuracy(policy, falling, draws=10)
  ]
  want = [2**0.75, 2, 4 * 2**0.5]
  np.testing.assert_allclose(ratios, want)


def test_reach_agrees_with_plain_loops():
  rng = np.random.default_rng(0)
  value = rng.random((30, 5)).round(1)
  spent = np.sort(rng.random((30, 5)) + 0.1, 1)
  accuracy = rng.random((30, 7)).round(1)
  found, never, start = speedup.reach(accuracy, value, spent)
  for w in range(30):
    best = [max(value[w, : i + 1]) for i in range(5)]
    for b in range(7):
      a = accuracy[w, b]
      first = next((i for i in range(5) if best[i] >= a - 1e-12), None)
      assert never[w, b] == (first is None)
      assert start[w, b] == (first == 0 and best[0] > a + 1e-12)
      if first is None:
        want = spent[w, 4]
      elif first == 0:
        want = spent[w, 0]
      else:
        t = (a - best[first - 1]) / (best[first] - best[first - 1])
        logs = [math.log(spent[w, i]) for i in (first - 1, first)]
        want = math.exp(logs[0] + t * (logs[1] - logs[0]))
      assert found[w, b] == pytest.approx(want)


def test_interval_is_that_of_resampled_questions():
  rng = np.random.default_rng(1)
  base = speedup.Curve(
    value=(rng.random((60, 4)) < [0.2, 0.4, 0.6, 0.8]).astype(float),
    spent=rng.random((60, 4)) + np.array([1, 4, 16, 64]),
  )
  mine = speedup.Curve(
    value=(rng.random((60, 1)) < 0.55).astype(float),
    spent=rng.random((60, 1)) + 3,
  )
  (got,) = speedup.at_equal_accuracy(mine, base, seed=4, draws=300)
  ratios, short = [], 0
  for pick in np.random.default_rng(4).integers(60, size=(300, 60)):
    found, never, _ = speedup.reach(
      *(table[pick].mean(0)[None] for table in (mine.value, base.value)),
      base.spent[pick].mean(0)[None],
    )
    ratios.append(found[0, 0] / mine.spent[pick].mean())
    short += never[0, 0]
  want = np.quantile(ratios, [0.025, 0.975])
  np.testing.assert_allclose([got["low"], got["high"]], want)
  assert got["never_reached"] == pytest.approx(short / 300)
  assert got["low"] < got["mean"] < got["high"]
