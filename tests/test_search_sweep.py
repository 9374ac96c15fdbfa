"""The cells of a sweep, and a search as a row."""

import pytest

from tts_jax import errors
from tts_jax.search import strategies, sweep


def test_cells_are_every_method_at_every_budget_by_every_seed():
  found = sweep.cells({"beam_4": (16, 1, 4), "lookahead_3": (4, 1, 16)}, 2)
  assert [(cell.method, cell.budget, cell.seed) for cell in found] == [
    ("beam_4", 1, 0),
    ("beam_4", 4, 0),
    # One row that looks 3 steps ahead costs 4: there is none at 1.
    ("lookahead_3", 4, 0),
    ("beam_4", 16, 0),
    ("lookahead_3", 16, 0),
    ("beam_4", 1, 1),
    ("beam_4", 4, 1),
    ("lookahead_3", 4, 1),
    ("beam_4", 16, 1),
    ("lookahead_3", 16, 1),
  ]
  assert found[3].strategy == strategies.Beam(16, 4)


@pytest.mark.parametrize("name", strategies.BY_NAME)
def test_a_method_can_take_what_it_is_given_and_nothing_less(name):
  least = strategies.LEAST.get(name, 1)
  assert strategies.BY_NAME[name](least).generations == least
  with pytest.raises(errors.InputError, match=f"must be at least {least}"):
    strategies.BY_NAME[name](least - 1)


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    (({"beam": (4,)}, 1), "methods has 'beam'; it must be of beam_4"),
    (({"beam_4": (4, 0)}, 1), "budgets has 0; it must be at least 1"),
    (({"beam_4": (4,)}, 0), "seeds is 0; it must be at least 1"),
  ],
)
def test_a_sweep_that_cannot_be_is_refused(arguments, message):
  with pytest.raises(errors.InputError, match=message):
    sweep.cells(*arguments)
