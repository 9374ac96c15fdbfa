"""Pretraining against test time: what a larger model's FLOPs buy a small one.

A model of W parameters costs 6 W D_pre FLOPs to train on D_pre tokens and 2 W
for each of the D_inf tokens that it generates in its life (paper, section 7). A
model M times larger costs M times both. At equal FLOPs the small one may
generate several times as many tokens for each question, a multiplier that falls
with R = D_inf / D_pre; the large one answers once, greedily, so the multiplier
is the small one's budget in generations.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from tts_jax import errors

# {N: [Q] float}, how right a method is at each budget.
Values = Mapping[int, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
  """What inference is charged.

  Attributes:
    verifier: FLOPs of the small model's verifier for each token that it
      generates, in units of the generator's own.
    large_verifier: the same, charged to the large model.
    ratios: R, each D_inf / D_pre.

  Example:
    >>> form = tts.ExchangeForm(verifier=0, large_verifier=0, ratios=(0.79,))
    >>> round(form.multiplier(size_ratio=13.8, ratio=0.79), 1)
    62.4
  """

  verifier: float
  large_verifier: float
  ratios: tuple[float, ...]

  def multiplier(self, size_ratio: float, ratio: float) -> float:
    """How much more inference the small model may spend at equal FLOPs.

    Args:
      size_ratio: M, above 1.
      ratio: R, above 0.

    Raises:
      InputError: one of them is out of range.
    """
    check_ratios(size_ratio, (ratio,))
    return self._from_inference(size_ratio) + self._training(size_ratio) / ratio

  def ratio_at(self, size_ratio: float, budget: float) -> float | None:
    """The R whose multiplier is `budget`; None where every R gives more.

    Args:
      size_ratio: M, above 1.
      budget: in generations.
    """
    check_ratios(size_ratio, self.ratios)
    room = budget - self._from_inference(size_ratio)
    return self._training(size_ratio) / room if room > 0 else None

  def _from_inference(self, size_ratio: float) -> float:
    return size_ratio * (1 + self.large_verifier) / (1 + self.verifier)

  def _training(self, size_ratio: float) -> float:
    return 3 * (size_ratio - 1) / (1 + self.verifier)


FORMS: Mapping[str, Form] = {
  # arXiv, version 1: nobody's verifier costs.
  "v1": Form(verifier=0.0, large_verifier=0.0, ratios=(0.16, 0.79, 22.0)),
  # Camera-ready: inference twice, of both models.
  "iclr": Form(verifier=1.0, large_verifier=1.0, ratios=(0.08, 0.40, 11.0)),
  # As the camera-ready, but a greedy answer needs no verifier.
  "derived": Form(verifier=1.0, large_verifier=0.0, ratios=(0.08, 0.40, 11.0)),
}


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Reached:
  """A method at a budget that was not measured itself.

  Attributes:
    value: [Q] float64.
    budget: where it was read: that asked for, or the largest measured.
    beyond: more was asked for than was measured. The value is then that of the
      largest budget, and says nothing of what more would have given.
  """

  value: np.ndarray
  budget: float
  beyond: bool


def interpolate(values: Values, budget: float) -> Reached:
  """How right a method is at any budget: linear in its logarithm.

  Args:
    values: {N: [Q]}.
    budget: in generations.

  Raises:
    InputError: nothing was measured, or no budget so small as this one.
  """
  measured = sorted(values)
  if not measured or budget < measured[0]:
    raise errors.InputError(
      f"a budget of {budget:.4g} generations is below the least measured,"
      f" {measured[0] if measured else 'none'}; measure the method at 1"
    )
  above = int(np.searchsorted(measured, budget))
  if above == len(measured):
    last = measured[-1]
    value = np.asarray(values[last], np.float64)
    return Reached(value=value, budget=float(last), beyond=True)
  high = np.asarray(values[measured[above]], np.float64)
  if above == 0:
    return Reached(value=high, budget=float(budget), beyond=False)
  low = np.asarray(values[measured[above - 1]], np.float64)
  start, end = np.log2(measured[above - 1]), np.log2(measured[above])
  share = (np.log2(budget) - start) / (end - start)
  value = low + share * (high - low)
  return Reached(value=value, budget=float(budget), beyond=False)


def crossing(budgets: Sequence[int], differences: Sequence[float]) -> float:
  """The first budget at which a difference is no longer negative.

  Linear in the budget's logarithm; infinite where there is none.

  Args:
    budgets: ascending.
    differences: at each.
  """
  for index, (budget, here) in enumerate(
    zip(budgets, differences, strict=True)
  ):
    if here >= 0:
      if index == 0:
        return float(budget)
      before = differences[index - 1]
      share = before / (before - here)
      start, end = np.log2(budgets[index - 1]), np.log2(budget)
      return float(2 ** (start + share * (end - start)))
  return float("inf")


def check_ratios(size_ratio: float, ratios: Sequence[float]) -> None:
  """Refuses an M that is not above 1, and an R that is not above 0.

  Raises:
    InputError: one of them is so.
  """
  if not size_ratio > 1:
    raise errors.InputError(
      f"the large model has {size_ratio:.4g} times the parameters of the small"
      " one; it must have more than 1"
    )
  for ratio in ratios:
    if not ratio > 0:
      raise errors.InputError(f"R = {ratio:g}; D_inf / D_pre must be above 0")
