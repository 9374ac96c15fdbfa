"""How much less a policy spends than a baseline of equal accuracy.

The baseline was measured at some budgets. Between them its accuracy is taken to
run straight against the logarithm of what it spends, and never to fall: where
it does, spending less is as good (its monotone envelope). Above its largest
budget nothing is known: where it never reaches the policy's accuracy, the ratio
is that to its largest budget, a lower bound, and is said to be one.
"""

import dataclasses
from typing import Any

import chex
import numpy as np

from tts_jax.scaling import intervals

# A mean of the same numbers in another order differs by less than this.
_ROUNDING = 1e-12


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
  """A method's accuracy and what it spends at each of its budgets.

  Attributes:
    value: [Q, M] float64, expected correctness.
    spent: [Q, M] float64, in any unit.
  """

  value: np.ndarray
  spent: np.ndarray


def reach(
  accuracy: np.ndarray, value: np.ndarray, spent: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """What a baseline spends to reach an accuracy.

  Args:
    accuracy: [W, B].
    value: [W, M], of the baseline's budgets.
    spent: [W, M], rising, above 0.

  Returns:
    [W, B] what it spends; [W, B] bool, where it never reaches the accuracy and
    this is its largest budget; [W, B] bool, where it is above the accuracy from
    the start and this is its smallest.
  """
  envelope = np.maximum.accumulate(value, axis=1)[:, None]  # [W, 1, M]
  above = envelope >= accuracy[..., None] - _ROUNDING  # [W, B, M]
  never = np.logical_not(above.any(-1))
  first = np.where(never, value.shape[1] - 1, above.argmax(-1))
  before = np.maximum(first - 1, 0)

  def at(table: np.ndarray, place: np.ndarray) -> np.ndarray:
    return np.take_along_axis(table, place, 1)

  low, high = at(envelope[:, 0], before), at(envelope[:, 0], first)
  rise = np.where(high > low, high - low, 1.0)
  share = np.where(high > low, (accuracy - low) / rise, 1.0)
  share = np.where(never | (first == 0), 1.0, np.clip(share, 0, 1))
  log = np.log(spent)
  found = at(log, before) * (1 - share) + at(log, first) * share
  start = (first == 0) & (envelope[..., 0] > accuracy + _ROUNDING) & ~never
  return np.exp(found), never, start


def at_equal_accuracy(
  policy: Curve, baseline: Curve, *, seed: int = 0, draws: int = 2000
) -> list[dict[str, Any]]:
  """The baseline's spending over the policy's, at each of the policy's budgets.

  Both curves are resampled together, question by question.

  Args:
    policy: [Q, B].
    baseline: [Q, M], of the same questions, its spending rising.
    seed: of the resampling.
    draws: resamplings.

  Returns:
    For each budget of the policy `value`, `spent`, the ratio's `mean`, `low`
    and `high`; `bound`, "at least" where the baseline never reaches the
    accuracy, "at most" where it is above it from the start, else None; and
    `never_reached`, the share of resamplings in which it does not.
  """
  chex.assert_equal_shape([policy.value, policy.spent])
  chex.assert_equal_shape([baseline.value, baseline.spent])
  budgets = policy.value.shape[1]

  def statistic(weights: np.ndarray) -> np.ndarray:
    weights = weights / weights.sum(1, keepdims=True)
    accuracy, spent = weights @ policy.value, weights @ policy.spent
    found, never, start = reach(
      accuracy, weights @ baseline.value, weights @ baseline.spent
    )
    columns = [found / spent, accuracy, spent, never, start]
    return np.concatenate(columns, 1, dtype=np.float64)

  # One resampling each, to count in how many the baseline falls short.
  short: list[np.ndarray] = []

  def counted(weights: np.ndarray) -> np.ndarray:
    found = statistic(weights)
    short.append(found[:, 3 * budgets : 4 * budgets])
    return found[:, :budgets]

  ratio = intervals.bootstrap_of(
    counted, len(policy.value), seed=seed, draws=draws
  )
  never_reached = np.concatenate(short)[:draws].mean(0)
  whole = statistic(np.ones((1, len(policy.value))))[0]
  _, accuracy, spent, never, start = np.split(whole, 5)
  bounds = {(1.0, 0.0): "at least", (0.0, 1.0): "at most"}
  return [
    {
      "value": float(accuracy[one]),
      "spent": float(spent[one]),
      **ratio.summary(one),
      "bound": bounds.get((never[one], start[one])),
      "never_reached": float(never_reached[one]),
    }
    for one in range(budgets)
  ]
