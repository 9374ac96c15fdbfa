"""A sweep as curves: every search and every choice against its budget.

The paper's figures 3, left and right. A search is scored by its own finals, a
choice among independent samples by the expectation over subsets of the pool,
and both in the same bins: a bin is placed by half the pool, and a choice is
scored on the other half.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from tts_jax import errors, types
from tts_jax.scaling import choices, difficulty, estimators, flops, intervals
from tts_jax.store import searches
from tts_jax.verify import choosing

# The paper's choice among a search's finals.
CHOOSE = choosing.best_of_n_weighted

Found = Mapping[tuple[str, int, int], searches.Searches]
Values = dict[str, dict[int, np.ndarray]]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Samples:
  """A scored pool.

  Attributes:
    question_ids: Q ids.
    answers: [Q, N] int32, -1 for none.
    correct: [Q, N] bool.
    score: [Q, N] float32, of the last step.
    length: [Q, N] int32.
    prompt_length: [Q] int; NaN where it is not known.
  """

  question_ids: tuple[str, ...]
  answers: np.ndarray
  correct: np.ndarray
  score: np.ndarray
  length: np.ndarray
  prompt_length: np.ndarray


def search_values(found: Found, question_ids: Sequence[str]) -> Values:
  """How right each search's answer is, averaged over seeds.

  Args:
    found: as `searches.load_searches` gives them.
    question_ids: Q ids; every search must be of these, in this order.

  Returns:
    {method: {budget: [Q] float64}}.

  Raises:
    InputError: a search lacks questions, or a score that votes is NaN.
  """
  by_budget: dict[tuple[str, int], list[np.ndarray]] = {}
  for (method, budget, seed), one in sorted(found.items()):
    if one.question_ids != tuple(question_ids):
      raise errors.InputError(
        f"{method} at budget {budget}, seed {seed}, has"
        f" {len(one.question_ids)} questions of {len(question_ids)}, or in"
        " another order; start its command again"
      )
    choosing.check_scores(question_ids, one.score, one.valid)
    chosen = jax.vmap(lambda a, s, v: CHOOSE(a, s, valid=v))(
      one.answers, one.score, one.valid
    )
    right = (np.asarray(chosen, np.float64) * one.correct).sum(1)
    by_budget.setdefault((method, budget), []).append(right)
  values: Values = {}
  for (method, budget), seeds in by_budget.items():
    values.setdefault(method, {})[budget] = np.mean(seeds, axis=0)
  return values


def choice_values(
  samples: Samples,
  budgets: Sequence[int],
  *,
  held: slice = slice(None),
  seed: int = 0,
  draws: int = 1000,
) -> Values:
  """The same of majority, best-of-N and best-of-N weighted.

  Args:
    samples: the pool.
    budgets: each at most the samples held.
    held: columns of the pool to choose among.
    seed: of the random subsets.
    draws: random subsets for each question.
  """
  answers, correct = samples.answers[:, held], samples.correct[:, held]
  score = samples.score[:, held]
  by_name = {
    "majority": estimators.majority_at_k(
      answers, correct, budgets, seed=seed, draws=draws
    ),
    "best_of_n": choices.best_of_n_at_k(
      score, correct, budgets, answers=answers
    ),
    "best_of_n_weighted": choices.weighted_at_k(
      answers, correct, score, budgets, seed=seed, draws=draws
    ),
  }
  return {
    name: {budget: table[:, i] for i, budget in enumerate(budgets)}
    for name, table in by_name.items()
  }


def curves(values: Values, seed: int = 0) -> dict[str, Any]:
  """{method: {budget: interval}}, ready for JSON."""
  return {
    method: {
      str(budget): intervals.bootstrap(right, seed=seed).summary()
      for budget, right in sorted(by_budget.items())
    }
    for method, by_budget in values.items()
  }


def curves_by_bin(
  samples: Samples,
  found: Values,
  budgets: Sequence[int],
  *,
  predicted: bool = False,
  choose: Callable[[slice], Values] | None = None,
  seed: int = 0,
  draws: int = 1000,
) -> list[dict[str, Any]]:
  """The same in each difficulty bin, the easiest first.

  Args:
    samples: the pool, whose halves place the questions in turn.
    found: of the searches, as `search_values` gives them.
    budgets: of the choices; those above half the pool are left out.
    predicted: the samples' scores place the questions, a sample without one
      counting as 0, and not whether they are right.
    choose: `choice_values` of the columns held, at these budgets at least,
      where they are known already.
    seed: of the random subsets and intervals.
    draws: random subsets for each question.

  Returns:
    For each bin, {method: {budget: interval}}; `beam_minus_weighted` has, for
    each beam search, the difference to best-of-N weighted on the same
    questions, where both were measured.
  """
  half = samples.correct.shape[1] // 2
  budgets = [budget for budget in budgets if budget <= half]

  def columns(held: slice) -> dict[tuple[str, int], np.ndarray]:
    if choose is None:
      chosen = choice_values(
        samples, budgets, held=held, seed=seed, draws=draws
      )
    else:
      known = choose(held)
      chosen = {
        name: {budget: one[budget] for budget in budgets}
        for name, one in known.items()
      }
    both = {
      (method, budget): right
      for values in (chosen, found)
      for method, by_budget in values.items()
      for budget, right in by_budget.items()
    }
    against = chosen["best_of_n_weighted"]
    differences = {
      (f"{method}_minus_weighted", budget): right - against[budget]
      for method, by_budget in found.items()
      for budget, right in by_budget.items()
      if budget in against
    }
    return both | differences

  names: list[tuple[str, int]] = []

  def evaluate(held: slice) -> np.ndarray:
    table = columns(held)
    names[:] = table
    return np.stack(list(table.values()), 1)

  placing = np.nan_to_num(samples.score) if predicted else samples.correct
  scores = difficulty.cross_fitted(placing, evaluate, seed=seed)
  bins: list[dict[str, Any]] = []
  for score in scores:
    one: dict[str, Any] = {}
    for index, (method, budget) in enumerate(names):
      one.setdefault(method, {})[str(budget)] = score.score.summary(index)
    bins.append(one)
  return bins


def ledger(
  found: Found,
  samples: Samples,
  budgets: Sequence[int],
  count: Callable[[types.Cost, np.ndarray, bool], np.ndarray],
) -> dict[str, Any]:
  """Mean tokens and FLOPs a question, {method: {budget: {entry: number}}}.

  Args:
    found: the searches.
    samples: the pool.
    budgets: of the choices.
    count: from (cost, [Q] context, whether a verifier worked) to [Q] FLOPs.
  """
  return {
    method: {
      str(budget): {name: float(each.mean()) for name, each in entry.items()}
      for budget, entry in by_budget.items()
    }
    for method, by_budget in costs(found, samples, budgets, count).items()
  }


def costs(
  found: Found,
  samples: Samples,
  budgets: Sequence[int],
  count: Callable[[types.Cost, np.ndarray, bool], np.ndarray],
) -> dict[str, dict[int, dict[str, np.ndarray]]]:
  """The same of each question: {method: {budget: {entry: [Q] float64}}}."""
  table: dict[str, dict[int, dict[str, np.ndarray]]] = {}
  cells: dict[tuple[str, int], list[dict[str, np.ndarray]]] = {}
  for (method, budget, _), one in sorted(found.items()):
    context = flops.mean_context(samples.prompt_length, one.length)
    entry = _entry(one.cost, count(one.cost, context, True))
    cells.setdefault((method, budget), []).append(entry)
  for (method, budget), entries in cells.items():
    table.setdefault(method, {})[budget] = {
      name: np.mean([entry[name] for entry in entries], axis=0)
      for name in entries[0]
    }
  mean = samples.length.mean(1)
  context = flops.mean_context(samples.prompt_length, samples.length)
  nothing = np.zeros(len(mean))
  for method in ("majority", "best_of_n", "best_of_n_weighted"):
    for budget in budgets:
      cost = types.Cost(
        generated=mean * budget,
        pruned=nothing,
        lookahead=nothing,
        prefilled=samples.prompt_length - 1,
        scored=nothing,
      )
      total = count(cost, context, method != "majority")
      table.setdefault(method, {})[budget] = _entry(cost, total)
  return table


def _entry(cost: types.Cost, total: np.ndarray) -> dict[str, np.ndarray]:
  tokens = {
    field.name: np.asarray(getattr(cost, field.name), np.float64)
    for field in dataclasses.fields(types.Cost)
  }
  return tokens | {"flops": np.asarray(total, np.float64)}


def comparisons(
  values: Values, pairs: Sequence[tuple[tuple[str, int], tuple[str, int]]]
) -> dict[str, Any]:
  """Paired differences, {"beam_4@16 - best_of_n_weighted@64": interval}.

  Args:
    values: of all methods.
    pairs: (method, budget) less (method, budget); those not there are left out.
  """
  result = {}
  for (one, first), (other, second) in pairs:
    here = values.get(one, {}).get(first)
    there = values.get(other, {}).get(second)
    if here is not None and there is not None:
      difference = intervals.paired_difference(here, there)
      result[f"{one}@{first} - {other}@{second}"] = difference.summary()
  return result
