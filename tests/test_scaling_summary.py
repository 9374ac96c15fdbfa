import numpy as np
import pytest

from tts_jax import errors
from tts_jax.scaling import estimators, summary


@pytest.mark.parametrize(
  ("samples", "expected"),
  [(1, [1]), (2, [1, 2]), (7, [1, 2, 4, 7]), (64, [1, 2, 4, 8, 16, 32, 64])],
)
def test_budgets_end_at_the_pool(samples, expected):
  assert summary.budgets(samples) == expected


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ((4, 8, 0), "there are 4 questions; at least 5"),
    ((5, 1, 0), "config.samples is 1; at least 2"),
    ((5, 2, -1), "config.seed is -1"),
  ],
)
def test_what_cannot_be_summarised_is_known_at_the_start(arguments, message):
  with pytest.raises(errors.InputError, match=message):
    summary.check(*arguments)


def test_what_passes_the_check_can_be_summarised():
  draw = np.random.default_rng(0)
  correct = draw.random((5, 2)) < 0.5
  summary.check(5, 2, 0)
  found = summary.summarise(correct.astype(np.int32), correct, [1, 2], 0)
  assert "pass@2" in summary.headline(found)


def test_groups_are_scored_apart():
  draw = np.random.default_rng(0)
  correct = draw.random((20, 8)) < draw.random((20, 1))
  names = ["trained" if q % 3 else "held out" for q in range(20)]
  found = summary.by_group(correct, names, [1, 4], seed=0)
  assert list(found) == ["held out", "trained"]
  for name, one in found.items():
    mine = np.array([correct[q] for q in range(20) if names[q] == name])
    assert one["questions"] == len(mine)
    expected = estimators.pass_at_k(mine, [1, 4]).mean(0)
    assert one["pass_at_k"]["1"]["mean"] == pytest.approx(expected[0])
    assert one["pass_at_k"]["4"]["mean"] == pytest.approx(expected[1])
