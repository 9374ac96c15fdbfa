"""A run's compute-optimal policies as folds, to set against a larger model."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from tts_jax import errors
from tts_jax.scaling import (
  compute_optimal,
  difficulty,
  estimates,
  exchange_summary,
  measured,
  policy_summary,
)


def of_policies(
  table: measured.Table,
  estimate: estimates.Estimate,
  budgets: Sequence[int],
  *,
  bins: int = difficulty.BINS,
  splits: int = 100,
  seed: int = 0,
) -> dict[str, list[exchange_summary.Fold]]:
  """Cross-validated policies of each family, a fold of the pool at a time.

  Args:
    table: of what was measured.
    estimate: of difficulty, which places the questions.
    budgets: in generations, rising.
    bins: how many.
    splits: random halvings of each bin.
    seed: of these.

  Returns:
    {family: folds}, families as `policy_summary.families` has them: each fold's
    bins, and values from the samples that did not place the question.

  Raises:
    InputError: as `compute_optimal.evaluate`.
  """
  found: dict[str, list[exchange_summary.Fold]] = {}
  kinds = policy_summary.families(list(dict.fromkeys(table.names)))
  for family, names in kinds.items():
    mine = table.only(names)
    found[family] = []
    for fold in range(len(estimate.value)):
      one = slice(fold, fold + 1)
      placed = dataclasses.replace(estimate, value=estimate.value[one])
      outcome = compute_optimal.evaluate(
        dataclasses.replace(mine, value=mine.value[one]),
        placed,
        budgets,
        bins=bins,
        splits=splits,
        seed=seed,
      )
      values = dict(zip(budgets, outcome.value.T, strict=True))
      (where,) = placed.bins(bins)
      found[family].append(exchange_summary.Fold(bins=where, values=values))
  return found


def aligned(
  right: Mapping[str, bool], question_ids: Sequence[str]
) -> np.ndarray:
  """[Q] float64: how right a larger model is on a run's questions.

  Args:
    right: by question, whether its answer is.
    question_ids: Q, of the run.

  Raises:
    InputError: it did not answer one of them.
  """
  lacking = [one for one in question_ids if one not in right]
  if lacking:
    raise errors.InputError(
      f"the larger model has no answer to {len(lacking)} of"
      f" {len(question_ids)} questions, the first of them {lacking[0]!r};"
      " sample it on the same questions"
    )
  return np.array([right[one] for one in question_ids], np.float64)
