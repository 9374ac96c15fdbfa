"""`difficulty` and `policy` of `summary.json`, from what a run measured."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tts_jax.scaling import (
  allocation_summary,
  difficulty,
  estimates,
  measured,
  measurements,
  measuring,
  policy,
  policy_summary,
  sweep,
)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
  """All that a policy is chosen from and compared with.

  Attributes:
    table: strategies that were measured.
    estimates: of difficulty: none, oracle, predicted, first few, and what was
      given.
    baseline: best-of-N weighted over the whole pool, by its budgets.
  """

  table: measured.Table
  estimates: tuple[estimates.Estimate, ...]
  baseline: policy_summary.Baseline


def obstacle(questions: int, samples: int, few: int) -> str | None:
  """Why a pool is too small for a policy; None where it is not.

  Args:
    questions: Q.
    samples: of each, in the whole pool.
    few: of them that an estimate takes first.
  """
  least = 2 * difficulty.BINS
  if questions < least:
    return (
      f"there are {questions} questions; 2 folds of {difficulty.BINS}"
      f" difficulty bins need at least {least}"
    )
  if samples // 2 < few:
    return (
      f"there are {samples} samples a question; estimating difficulty from the"
      f" first {few} of half of them needs at least {2 * few}"
    )
  return None


def gather(
  made: measurements.Measurements,
  count: measuring.Count,
  *,
  revised: measured.Measured | None = None,
  given: Sequence[estimates.Estimate] = (),
) -> Evidence:
  """Lays out a run's strategies and estimates.

  Args:
    made: of a scored pool and searches.
    count: FLOPs of a ledger.
    revised: what chains of revisions measured, as `measuring.of_revisions` and
      `of_combined` give it.
    given: estimates from elsewhere, as of a difficulty head.

  Raises:
    InputError: a part lacks questions, a score is NaN, or the pool is too small
      for the estimates.
  """
  samples, name = made.samples, policy_summary.BASELINE
  questions = len(samples.question_ids)
  budgets = sorted({1, made.few, *made.budgets})
  cost = sweep.costs({}, samples, budgets, count)[name]
  baseline = {
    n: measured.Cell(
      value=value,
      generations=np.full(questions, n),
      flops=cost[n]["flops"],
    )
    for n, value in made.chosen[name].items()
  }
  cells = of_pool(made, count)
  return Evidence(
    table=measured.table({**cells, **(revised or {})}, samples.question_ids),
    estimates=(
      estimates.none(questions),
      estimates.oracle(samples.correct),
      estimates.predicted(samples),
      estimates.first_few(samples, made.few, cost[made.few]["flops"]),
      *given,
    ),
    baseline=baseline,
  )


def of_pool(
  made: measurements.Measurements, count: measuring.Count
) -> dict[str, dict[int, measured.Cell]]:
  """Cells of choices among samples, and of searches."""
  return measuring.of_pool(
    made.samples,
    made.found,
    sorted(made.by_fold[0]["majority"]),
    count,
    by_fold=made.by_fold,
  )


def summarise(
  evidence: Evidence,
  correct: np.ndarray,
  budgets: Sequence[int],
  *,
  splits: int = 100,
  seed: int = 0,
  rule: policy.Rule | None = None,
) -> dict[str, Any]:
  """`difficulty` and `policy`, ready for JSON.

  `policy` has in `averaged` what `allocation_summary.summarise` gives.

  Args:
    evidence: as `gather` gives it.
    correct: [Q, N] bool, of the pool.
    budgets: in generations, rising.
    splits: random halvings of each bin.
    seed: of them and of the resampling.
    rule: how strategies are chosen.

  Raises:
    InputError: as `policy_summary.summarise`.
  """
  parts = (evidence.table, evidence.estimates, evidence.baseline, budgets)
  drawn: Any = {"splits": splits, "seed": seed}
  return {
    "difficulty": {
      "bins": difficulty.BINS,
      "samples": correct.shape[1],
      "estimates": estimates.compare(evidence.estimates, correct, seed=seed),
    },
    "policy": {
      **policy_summary.summarise(*parts, **drawn, rule=rule),
      "averaged": allocation_summary.summarise(*parts, **drawn),
    },
  }
