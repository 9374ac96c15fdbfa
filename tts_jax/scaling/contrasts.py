"""Paired differences between searches that the paper's findings speak of.

A finding that spans budgets or bins has one interval here: of the mean over
these, on the same questions.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tts_jax.scaling import difficulty, intervals, measurements, sweep

WEIGHTED = "best_of_n_weighted"
BEAMS = ("beam_4", "beam_sqrt")
# Each lookahead against the beam search that chooses as it does (figure 3).
LOOKAHEADS = ("lookahead_1", "lookahead_3")

# The paper's small budgets, and from where on it calls them large.
SMALL, LARGE = (4, 16), 64
# Bins from 0, the easiest: those in which the paper finds what it does.
EASY, MIDDLE, HARDEST = (0, 1), (2, 3), (4,)


def summarise(
  made: measurements.Measurements, *, seed: int = 0
) -> dict[str, Any]:
  """What a run's searches say to each finding, where they can.

  Args:
    made: of a scored pool and searches.
    seed: of the resampling.

  Returns:
    {name: {method: {"budgets", "mean", "low", "high"}}}. `beam_small`: a beam
    search less best-of-N weighted, mean over small budgets; `beam_small_middle`
    the same in bins 3 and 4; `beam_large_easy`: at the largest budget of both,
    in bins 1 and 2; `lookahead`: less beam search, mean over all budgets of
    both from the first small one; `hardest`: each method at its largest budget
    less one sample, in bin 5. What was not measured is left out.
  """
  whole = made.chosen | made.searched
  found: dict[str, Any] = {
    name: {} for name in ("beam_small", "beam_small_middle", "beam_large_easy")
  }
  for beam in BEAMS:
    shared = _shared(whole, beam, WEIGHTED)
    small = [n for n in SMALL if n in shared]
    if small:
      found["beam_small"][beam] = {
        "budgets": small,
        **intervals.bootstrap(
          _mean_difference(whole, beam, WEIGHTED, small), seed=seed
        ).summary(),
      }
    held = _shared(made.by_fold[0] | made.searched, beam, WEIGHTED)
    for name, budgets, bins in (
      ("beam_small_middle", [n for n in SMALL if n in held], MIDDLE),
      ("beam_large_easy", [n for n in held if n >= LARGE][-1:], EASY),
    ):
      if budgets:
        found[name][beam] = _in_bins(made, beam, budgets, bins, seed)
  found["lookahead"] = _lookahead(made.searched, seed)
  found["hardest"] = {}
  values = made.by_fold[0] | made.searched
  for method in values:
    if max(values[method]) > 1:
      budgets = [max(values[method])]
      found["hardest"][method] = _in_bins(
        made, method, budgets, HARDEST, seed, less=1
      )
  return found


def over_bins(
  placing: np.ndarray,
  evaluate: Callable[[slice], np.ndarray],
  bins: Sequence[int],
  *,
  seed: int = 0,
) -> intervals.Interval:
  """The mean over several bins together, cross-fitted as in one.

  Args:
    placing: [Q, N], whose halves place the questions in turn.
    evaluate: from the columns held out to [Q].
    bins: of them, from 0 for the easiest.
    seed: of the resampling.
  """
  totals, counts = np.zeros(len(placing)), np.zeros(len(placing), np.int64)
  for seen, held in difficulty.FOLDS:
    place = difficulty.quantile_bins(placing[:, seen].mean(1))
    mine = np.isin(place, bins)
    totals[mine] += evaluate(held)[mine]
    counts[mine] += 1
  some = counts > 0
  return intervals.bootstrap_ratio(totals[some], counts[some], seed=seed)


def _in_bins(
  made: measurements.Measurements,
  method: str,
  budgets: Sequence[int],
  bins: Sequence[int],
  seed: int,
  less: int | None = None,
) -> dict[str, Any]:
  """A method less best-of-N weighted, at its budgets or at `less`."""

  def evaluate(held: slice) -> np.ndarray:
    values = made.held(held) | made.searched
    if less is None:
      return _mean_difference(values, method, WEIGHTED, budgets)
    return values[method][budgets[0]] - values[WEIGHTED][less]

  interval = over_bins(made.samples.correct, evaluate, bins, seed=seed)
  return {"budgets": list(budgets), **interval.summary()}


def _lookahead(values: sweep.Values, seed: int) -> dict[str, Any]:
  found: dict[str, Any] = {}
  for method in LOOKAHEADS:
    beam = next((one for one in ("beam_sqrt", "beam_4") if one in values), None)
    shared = [] if beam is None else _shared(values, method, beam)
    budgets = [n for n in shared if n >= SMALL[0]]
    if beam is not None and budgets:
      difference = _mean_difference(values, method, beam, budgets)
      found[method] = {
        "budgets": budgets,
        "beam": beam,
        **intervals.bootstrap(difference, seed=seed).summary(),
      }
  return found


def _shared(values: sweep.Values, one: str, other: str) -> list[int]:
  return sorted(set(values.get(one, ())) & set(values.get(other, ())))


def _mean_difference(
  values: sweep.Values, one: str, other: str, budgets: Sequence[int]
) -> np.ndarray:
  return np.mean([values[one][n] - values[other][n] for n in budgets], axis=0)
