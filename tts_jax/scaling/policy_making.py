"""From what a policy is worth to its file: strategies and their evidence."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tts_jax.scaling import (
  allocation,
  bin_edges,
  compute_optimal,
  difficulty,
  estimates,
  intervals,
  measured,
  optimal_summary,
  plans,
  policy_file,
  policy_summary,
)
from tts_jax.store import provenance


def files(
  evidence: optimal_summary.Evidence,
  made_for: policy_file.MadeFor,
  budgets: Sequence[int],
  *,
  seed: int = 0,
) -> dict[str, policy_file.Policy]:
  """The policies of a run, by the names of their files.

  They place questions by the last estimate: the first few samples, or what was
  given. What the others read, a new question does not have.

  Args:
    evidence: as `optimal_summary.gather` gives it.
    made_for: hashes of the models measured.
    budgets: in generations, rising.
    seed: of random halvings and of the resampling.

  Returns:
    Of `policy_file.FILE`, whose budget each question has, and of
    `policy_file.AVERAGE_FILE`.
  """
  table, estimate = evidence.table, evidence.estimates[-1]
  base = evidence.baseline
  of_each = compute_optimal.evaluate(
    table,
    estimate,
    budgets,
    baseline=[f"{policy_summary.BASELINE}@{n}" for n in base],
    seed=seed,
  )
  on_average = allocation.evaluate(table, estimate, budgets, seed=seed)
  told: Any = dict(keys=budgets, baseline=base, seed=seed)
  return {
    name: to_file(outcome, estimate, made_for, averaged=averaged, **told)
    for name, outcome, averaged in (
      (policy_file.FILE, of_each, False),
      (policy_file.AVERAGE_FILE, on_average, True),
    )
  }


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
    found, less = None, None
    if here.any():
      found = intervals.bootstrap(value[here], seed=seed).summary()
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
      value=found,
      less_baseline=less,
      generations=float(outcome.generations[spent, column].mean()),
      flops=measured.flops(outcome.flops[spent, column]).get("flops"),
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
