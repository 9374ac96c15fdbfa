"""How well a verifier finds the first wrong step: ProcessBench's measure.

Zheng et al., 2024. A verifier says that the first step below a threshold is
wrong. What it gets right of the solutions with a wrong step, and of those
without one, is averaged harmonically. A threshold is never measured on what
chose it. `S` solutions of `P` problems, `R` steps.
"""

import dataclasses
from collections.abc import Mapping

import chex
import numpy as np

from tts_jax import errors
from tts_jax.scaling import choices, intervals, verification

MEASURES = ("accuracy_erroneous", "accuracy_correct", "f1")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Scored:
  """Solutions with their marks and a verifier's scores.

  Attributes:
    step_score: [S, R] float; anything from the count on.
    step_count: [S] int, at least 1.
    label: [S] int, index of the first wrong step, -1 for none.
    problem: [S] int from 0, alike for solutions of one problem.

  Raises:
    InputError: a score is no probability.
  """

  step_score: np.ndarray
  step_count: np.ndarray
  label: np.ndarray
  problem: np.ndarray

  def __post_init__(self) -> None:
    chex.assert_rank(self.step_score, 2)
    chex.assert_shape(
      [self.step_count, self.label, self.problem], (len(self.step_score),)
    )
    choices.check_probabilities(self.step_score[self.live])

  @property
  def live(self) -> np.ndarray:
    """[S, R] bool: where there is a step."""
    steps = np.arange(self.step_score.shape[1])
    return steps < self.step_count[:, None]

  def part(self, mask: np.ndarray) -> "Scored":
    """Those of the solutions where a mask, [S] bool, is set."""
    return Scored(**{name: value[mask] for name, value in vars(self).items()})


def spans(scored: Scored) -> tuple[np.ndarray, np.ndarray]:
  """The thresholds with which each solution is judged rightly.

  Returns:
    (low, high), [S] float64: those above `low` and not above `high`; none
    where the two are one.
  """
  S, R = scored.step_score.shape
  least = np.full((S, R + 1), np.inf)
  least[:, 1:] = np.where(scored.live, scored.step_score, np.inf)
  # Of the steps before each: what a step has to be below to be the first.
  least = np.minimum.accumulate(least, axis=1)
  row, faulty = np.arange(S), scored.label >= 0
  low = np.where(faulty, least[row, scored.label + 1], -np.inf)
  high = np.where(faulty, least[row, scored.label], least[:, -1])
  return low, high


def curve(scored: Scored, thresholds: np.ndarray) -> dict[str, np.ndarray]:
  """Accuracies and F1 at thresholds.

  Args:
    scored: the solutions, some with a wrong step and some without.
    thresholds: [C] float.

  Returns:
    Each of `MEASURES`, [C] float64.

  Raises:
    InputError: as `check_both`.
  """
  check_both(scored.label)
  low, high = spans(scored)
  found = {}
  for name, kind in zip(MEASURES, (True, False), strict=False):
    mine = (scored.label >= 0) == kind
    # A span holds a threshold where it has begun and not ended.
    begun = np.searchsorted(np.sort(low[mine]), thresholds, "left")
    ended = np.searchsorted(np.sort(high[mine]), thresholds, "left")
    found[name] = (begun - ended) / mine.sum()
  return found | {"f1": _harmonic(*found.values())}


def best_threshold(scored: Scored) -> float:
  """The threshold with the best F1: of equals the lowest.

  It is sought among all that make a difference: halfway between neighbours of
  the scores at which a judgement turns.

  Raises:
    InputError: as `check_both`.
  """
  ends = np.concatenate([*spans(scored), [0.0, 1.0]])
  ends = np.unique(ends[np.isfinite(ends)])
  between = (ends[:-1] + ends[1:]) / 2
  return float(between[np.argmax(curve(scored, between)["f1"])])


def halves(problem: np.ndarray, seed: int) -> np.ndarray:
  """[S] int, 0 or 1: halves of the problems, drawn by a seed."""
  count = int(problem.max()) + 1
  return (np.random.default_rng(seed).permutation(count) % 2)[problem]


def cross_fitted(scored: Scored, seed: int) -> np.ndarray:
  """[S] float64: for each half of the problems the other's best threshold.

  Raises:
    InputError: a half lacks solutions with a wrong step, or without one.
  """
  half = halves(scored.problem, seed)
  chosen = [best_threshold(scored.part(half == other)) for other in (1, 0)]
  return np.array(chosen)[half]


def check_both(label: np.ndarray) -> None:
  """Checks that there are solutions with a wrong step, and without one.

  Raises:
    InputError: there are not: no threshold can be chosen by them.
  """
  faulty = int((label >= 0).sum())
  if faulty in (0, len(label)):
    raise errors.InputError(
      f"{faulty} of {len(label)} solutions have a wrong step; to choose a"
      " threshold takes some that have and some that have not"
    )


def measure(
  scored: Scored,
  thresholds: np.ndarray,
  *,
  seed: int = 0,
  draws: int = 10_000,
) -> Mapping[str, intervals.Interval | None]:
  """Accuracies and F1, with intervals by resampling problems.

  Both accuracies, and F1 from them, are taken anew in each resampling; one
  without any solution of a kind counts as 0 there. Thresholds are held.

  Args:
    scored: the solutions.
    thresholds: [S] float, of each.
    seed: of the resampling.
    draws: resamplings.

  Returns:
    Each of `MEASURES`, as an interval of shape []; None where there are no
    solutions to measure it on, and of F1 where there are none of one kind.
  """
  predicted = verification.first_below(
    scored.step_score.astype(np.float64),
    scored.step_count,
    thresholds[:, None],
  )
  hit, faulty = predicted == scored.label, scored.label >= 0
  # Of each problem: solutions of each kind, and those judged rightly.
  totals = np.stack(
    [
      np.bincount(scored.problem, weights=mask)
      for mask in (hit & faulty, hit & ~faulty, faulty, ~faulty)
    ],
    axis=1,
  )

  def statistic(weights: np.ndarray) -> np.ndarray:
    sums = weights @ totals
    share = sums[:, :2] / np.maximum(sums[:, 2:], 1)
    return np.column_stack([share, _harmonic(share[:, 0], share[:, 1])])

  found = intervals.bootstrap_of(statistic, len(totals), seed=seed, draws=draws)
  there = [bool(faulty.any()), not faulty.all()]
  return {
    name: intervals.Interval(
      mean=found.mean[i], low=found.low[i], high=found.high[i]
    )
    if known
    else None
    for i, (name, known) in enumerate(
      zip(MEASURES, [*there, all(there)], strict=True)
    )
  }


def _harmonic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  """Harmonic means, 0 where both are 0."""
  total = a + b
  return 2 * a * b / np.where(total > 0, total, 1)
