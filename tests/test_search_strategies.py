"""The searches as data: budgets, settings, and what is refused."""

import dataclasses

import pytest

from tts_jax import errors
from tts_jax.search import strategies


def test_budgets_count_what_is_rolled_ahead():
  assert strategies.BestOfN(16).generations == 16
  assert strategies.Beam(16, 4).generations == 16
  assert strategies.DiverseBeam(16, 4).generations == 16
  assert strategies.Lookahead(16, 4, 3).generations == 64
  assert strategies.Lookahead(16, 4, 0).generations == 16


def test_all_are_settings_of_one_round():
  assert strategies.BestOfN(5).rounds == strategies.Rounds(n=5, max_rounds=None)
  beam = strategies.Beam(12, 3).rounds
  assert beam == strategies.Rounds(n=12, width=3, max_rounds=40)
  assert strategies.Lookahead(12, 3, 0).rounds == beam
  dvts = strategies.DiverseBeam(12, 3).rounds
  assert dvts == dataclasses.replace(beam, trees=4)


@pytest.mark.parametrize(
  ("n", "width"),
  [(1, 1), (2, 1), (4, 2), (7, 1), (8, 2), (12, 3), (16, 4), (128, 8)],
)
def test_the_width_nearest_to_the_root_divides(n, width):
  assert strategies.beam_sqrt(n) == strategies.Beam(n, width)


@pytest.mark.parametrize(
  ("budget", "n", "width"),
  [(1, 1, 1), (3, 3, 3), (4, 4, 4), (7, 4, 4), (256, 256, 4)],
)
def test_widths_of_4(budget, n, width):
  assert strategies.beam_4(budget) == strategies.Beam(n, width)
  assert strategies.dvts_4(budget) == strategies.DiverseBeam(n, width)
  assert strategies.lookahead_4(
    2 * budget + 1, depth=1
  ) == strategies.Lookahead(n, width, 1)


def test_lookahead_has_rows_for_its_budget():
  found = strategies.lookahead_sqrt(256, depth=3)
  assert found == strategies.Lookahead(64, 8, 3)
  assert found.generations == 256
  assert strategies.lookahead_sqrt(17, depth=3).n == 4
  with pytest.raises(errors.InputError, match=r"budget is 3; .* at least 4"):
    strategies.lookahead_sqrt(3, depth=3)


@pytest.mark.parametrize("name", strategies.BY_NAME)
def test_every_method_makes_the_most_of_a_budget(name):
  for budget in [4, 8, 15, 16, 64, 256]:
    strategy = strategies.BY_NAME[name](budget)
    assert 0.6 * budget <= strategy.generations <= budget
    assert hash(strategy) == hash(strategies.BY_NAME[name](budget))


@pytest.mark.parametrize(
  ("make", "said"),
  [
    (lambda: strategies.BestOfN(0), "n is 0; it must be at least 1"),
    (lambda: strategies.Beam(8, 3), "width is 3; it must divide n, 8"),
    (lambda: strategies.Beam(4, 8), "n is 4; .* at least the width, 8"),
    (lambda: strategies.Beam(4, 0), "width is 0; it must be at least 1"),
    (lambda: strategies.Beam(4, 2, 0), "max_rounds is 0; .* at least 1"),
    (lambda: strategies.Lookahead(4, 2, -1), "depth is -1; .* at least 0"),
    (lambda: strategies.Lookahead(9, 2, 1), "width is 2; it must divide n, 9"),
    (lambda: strategies.DiverseBeam(9, 2), "width is 2; it must divide n, 9"),
    (lambda: strategies.DiverseBeam(4, 0), "width is 0; it must be at least 1"),
    (lambda: strategies.beam_sqrt(0), "budget is 0; it must be at least 1"),
    (lambda: strategies.dvts_4(0), "budget is 0; it must be at least 1"),
    (
      lambda: strategies.Rounds(n=8, trees=4, width=4),
      "width is 4; it must divide n, 8, over 4 trees",
    ),
  ],
)
def test_impossible_settings_are_refused(make, said):
  with pytest.raises(errors.InputError, match=said):
    make()
