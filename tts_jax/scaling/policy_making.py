"""From what a policy is worth to its file: strategies and their evidence."""

from collections.abc import Sequence

import numpy as np

from tts_jax.scaling import (
  bin_edges,
  compute_optimal,
  difficulty,
  estimates,
  intervals,
  plans,
  policy_file,
  policy_summary,
)
from tts_jax.store import provenance


def to_file(
  outcome: compute_optimal.Outcome,
  estimate: estimates.Estimate,
  made_for: policy_file.MadeFor,
  *,
  keys: Sequence[int] = (),
  baseline: policy_summary.Baseline | None = None,
  averaged: bool = False,
  bins: int = difficulty.BINS,
  seed: int = 0,
) -> policy_file.Policy:
  """The policy that all questions choose, with its evidence.

  Args:
    outcome: what it is worth, cross-validated.
    estimate: by which it places questions.
    made_for: hashes of the models measured.
    keys: B, the baseline's budgets that those of the outcome are compared with.
    baseline: as of `summarise`.
    averaged: the outcome's budgets are met on average.
    bins: how many.
    seed: of the resampling.
  """
  # A question that folds place apart counts where its mean does.
  edges = estimate.edges(bins)
  mine = bin_edges.place(estimate.value.mean(0), edges)

  def choice(index: int, column: int) -> policy_file.Choice:
    estimated = bool(outcome.estimated[column])
    here = mine == index if estimated else np.ones(len(mine), bool)
    cell = outcome.best[index, column]
    value = outcome.value[:, column]
    measured, less = None, None
    if here.any():
      measured = intervals.bootstrap(value[here], seed=seed).summary()
    other = baseline.get(keys[column]) if baseline and keys else None
    if here.any() and other is not None:
      less = intervals.paired_difference(
        value[here], other.value[here], seed=seed
      ).summary()
    spent = here if here.any() else slice(None)
    return policy_file.Choice(
      plan=plans.plan(
        outcome.table.names[cell], int(outcome.table.budgets[cell])
      ),
      questions=int(here.sum()),
      agreement=float(outcome.chosen[index if estimated else 0, column, cell]),
      value=measured,
      less_baseline=less,
      generations=float(outcome.generations[spent, column].mean()),
      flops=float(outcome.flops[spent, column].mean()),
    )

  return policy_file.Policy(
    made_for=made_for,
    commit=provenance.commit(),
    difficulty=estimate.name,
    difficulty_generations=estimate.generations,
    unit=outcome.unit,
    edges=tuple(edges.tolist()),
    budgets=tuple(float(one) for one in outcome.budgets),
    estimated=tuple(bool(one) for one in outcome.estimated),
    choices=tuple(
      tuple(choice(index, column) for column in range(len(outcome.budgets)))
      for index in range(bins)
    ),
    averaged=averaged,
  )
