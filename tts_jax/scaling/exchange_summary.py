"""The numbers of pretraining against test time, for `summary.json`."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import chex
import numpy as np

from tts_jax import errors
from tts_jax.scaling import difficulty, exchange, intervals


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Fold:
  """A method of the small model, and where questions stand.

  Attributes:
    bins: [Q] int, from 0 for the easiest, placed by other samples than those
      that `values` come from.
    values: {N: [Q]}.
  """

  bins: np.ndarray
  values: exchange.Values


def summarise(
  families: Mapping[str, Sequence[Fold]],
  large: np.ndarray,
  *,
  size_ratio: float,
  forms: Mapping[str, exchange.Form] = exchange.FORMS,
  bins: int = difficulty.BINS,
  seed: int = 0,
) -> dict[str, Any]:
  """The small model with test-time compute, less the large one's greedy answer.

  Args:
    families: by name, such as "search" and "revisions", folds of one method;
      they are averaged, and all have the same budgets.
    large: [Q] how right the large model is on the same questions.
    size_ratio: M, how many times as many parameters the large one has.
    forms: by name, what is charged.
    bins: how many the folds place questions in.
    seed: of the resampling.

  Returns:
    Ready for JSON: `size_ratio`; `large`, an interval; `forms`, of each its
    shares and `budgets`, {R: multiplier}; `families`, of each `bins`, the
    easiest first, and `all`, of all questions together. Each of these has
    `questions` (the first fold's), and where there are any: `large`; `curve`
    and `difference`, {N: interval}; `at`, {form: {R: ...}} as `_at` has it; and
    `crossing`, as `_crossing` has it.

  Raises:
    InputError: M is not above 1, an R not above 0, there is no fold, folds
      differ in their budgets or questions, a value is NaN, a bin is outside
      the `bins`, or a multiplier is below the least budget measured.
  """
  exchange.check_ratios(
    size_ratio, [r for form in forms.values() for r in form.ratios]
  )
  chex.assert_rank(large, 1)
  _check_values("the large model", large)
  found: dict[str, Any] = {}
  for name, folds in families.items():
    _check_folds(name, folds, len(large), bins)
    found[name] = {
      "bins": [
        _compare(folds, large, index, size_ratio, forms, seed)
        for index in range(bins)
      ],
      "all": _compare(folds, large, None, size_ratio, forms, seed),
    }
  return {
    "size_ratio": size_ratio,
    "large": intervals.bootstrap(large, seed=seed).summary(),
    "forms": {
      name: {
        "verifier": form.verifier,
        "large_verifier": form.large_verifier,
        "budgets": {
          f"{r:g}": form.multiplier(size_ratio, r) for r in form.ratios
        },
      }
      for name, form in forms.items()
    },
    "families": found,
  }


def _compare(
  folds: Sequence[Fold],
  large: np.ndarray,
  index: int | None,
  size_ratio: float,
  forms: Mapping[str, exchange.Form],
  seed: int,
) -> dict[str, Any]:
  """One bin, or None for all questions."""
  budgets = sorted(folds[0].values)
  wanted = [
    (name, ratio, form.multiplier(size_ratio, ratio))
    for name, form in forms.items()
    for ratio in form.ratios
  ]
  totals = np.zeros((len(large), 1 + 2 * (len(budgets) + len(wanted))))
  counts = np.zeros(len(large), np.int64)
  reached: list[exchange.Reached] = []
  for fold in folds:
    placed = np.ones(len(large), bool) if index is None else fold.bins == index
    reached = [
      exchange.interpolate(fold.values, budget) for *_, budget in wanted
    ]
    small = [fold.values[n] for n in budgets] + [one.value for one in reached]
    table = np.stack([large, *small, *(one - large for one in small)], 1)
    totals[placed] += table[placed]
    counts[placed] += 1
  first = len(large) if index is None else int((folds[0].bins == index).sum())
  members = counts > 0
  if not members.any():
    return {"questions": 0}
  # A question that several folds place here is one draw with as many
  # observations. All columns share each resampling.
  found = intervals.bootstrap_ratio(totals[members], counts[members], seed=seed)
  shift = len(budgets) + len(wanted)
  curve = {str(n): found.summary(1 + i) for i, n in enumerate(budgets)}
  gap = {str(n): found.summary(1 + shift + i) for i, n in enumerate(budgets)}
  at: dict[str, Any] = {}
  for i, ((name, ratio, budget), one) in enumerate(
    zip(wanted, reached, strict=True), 1 + len(budgets)
  ):
    cell = _at(budget, one, found.summary(i), found.summary(shift + i))
    at.setdefault(name, {})[f"{ratio:g}"] = cell
  return {
    "questions": first,
    "large": found.summary(0),
    "curve": curve,
    "difference": gap,
    "at": at,
    "crossing": _crossing(budgets, gap, size_ratio, forms),
  }


def _at(
  budget: float,
  reached: exchange.Reached,
  small: dict[str, float],
  difference: dict[str, float],
) -> dict[str, Any]:
  """At one R: the budget that it buys, where that was read, and who wins.

  `beyond` is as `exchange.Reached` has it. `winner` is "test time" or
  "parameters" where the interval of the difference leaves 0 out, "neither"
  otherwise.
  """
  winner = "test time" if difference["low"] > 0 else "neither"
  return {
    "budget": budget,
    "measured_at": reached.budget,
    "beyond": reached.beyond,
    "small": small,
    "difference": difference,
    "winner": "parameters" if difference["high"] < 0 else winner,
  }


def _crossing(
  budgets: Sequence[int],
  gap: Mapping[str, Mapping[str, float]],
  size_ratio: float,
  forms: Mapping[str, exchange.Form],
) -> dict[str, Any]:
  """Where the small model catches up with the large one.

  `budget` has the first N at which it does, `mean`, and those at which the
  upper and the lower ends of the difference's interval do, `low` and `high`;
  None: not by the largest measured. `ratio` says for each form where it is
  ahead: `below` an R; at "every" R, which buys more than it needs at any; or
  "not reached".
  """

  def first(end: str) -> float | None:
    found = exchange.crossing(budgets, [gap[str(n)][end] for n in budgets])
    return found if np.isfinite(found) else None

  mean = first("mean")
  ratio: dict[str, Any] = {}
  for name, form in forms.items():
    below = None if mean is None else form.ratio_at(size_ratio, mean)
    where = "every" if below is None else "below"
    where = "not reached" if mean is None else where
    ratio[name] = {"ahead": where, "below": below}
  ends = {"low": first("high"), "high": first("low")}
  return {"budget": {"mean": mean, **ends}, "ratio": ratio}


def _check_folds(
  name: str, folds: Sequence[Fold], questions: int, bins: int
) -> None:
  if not folds:
    raise errors.InputError(f"{name}: there is no fold; at least 1 is needed")
  for fold in folds:
    if sorted(fold.values) != sorted(folds[0].values):
      raise errors.InputError(
        f"{name}: folds have budgets {sorted(folds[0].values)} and"
        f" {sorted(fold.values)}; they must be the same"
      )
    for what, table in (("bins", fold.bins), *fold.values.items()):
      if np.shape(table) != (questions,):
        raise errors.InputError(
          f"{name}, {what}: shape {np.shape(table)}; the large model has"
          f" {questions} questions"
        )
      _check_values(f"{name}, {what}", table)
    if fold.bins.min() < 0 or fold.bins.max() >= bins:
      raise errors.InputError(
        f"{name}: bins run from {fold.bins.min()} to {fold.bins.max()}; they"
        f" must be from 0 to {bins - 1}"
      )


def _check_values(name: str, values: np.ndarray) -> None:
  if not np.isfinite(values).all():
    place = int(np.flatnonzero(~np.isfinite(values))[0])
    raise errors.InputError(
      f"{name}: question {place} (from 0) has {values[place]}; a number is"
      " needed, 0 where nothing was answered"
    )
