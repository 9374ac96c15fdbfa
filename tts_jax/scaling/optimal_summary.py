"""`difficulty` and `policy` of `summary.json`, from what a run measured."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tts_jax.scaling import (
  choices,
  difficulty,
  estimates,
  measured,
  measuring,
  policy,
  policy_summary,
  sweep,
)

# Samples of the budget that an estimate may take first.
FEW = 4


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


def gather(
  samples: sweep.Samples,
  found: sweep.Found,
  budgets: Sequence[int],
  count: measuring.Count,
  *,
  revised: measured.Measured | None = None,
  given: Sequence[estimates.Estimate] = (),
  few: int = FEW,
  seed: int = 0,
  draws: int = 1000,
) -> Evidence:
  """Measures a run's strategies and estimates.

  Args:
    samples: a scored pool.
    found: searches of the same questions; may be empty.
    budgets: in generations; choices among samples are measured at these, and at
      what the first few samples leave of them.
    count: FLOPs of a ledger.
    revised: what chains of revisions measured, as `measuring.of_revisions` and
      `of_combined` give it.
    given: estimates from elsewhere, as of a difficulty head.
    few: how many samples the estimate from the budget itself takes.
    seed: of random subsets.
    draws: of them, for each question.

  Raises:
    InputError: a part lacks questions, a score is NaN, or the pool is too small
      for the estimates.
  """
  questions, most = samples.correct.shape
  sizes = sorted({*budgets, *(n - few for n in budgets if n > few)})
  cells = measuring.of_pool(
    samples, found, sizes, count, seed=seed, draws=draws
  )
  own = [n for n in budgets if n <= most]
  value = choices.weighted_at_k(
    samples.answers,
    samples.correct,
    samples.score,
    own,
    seed=seed,
    draws=draws,
  )
  name = policy_summary.BASELINE
  cost = sweep.costs({}, samples, [1, *own], count)[name]
  baseline = {
    n: measured.Cell(
      value=value[:, column],
      generations=np.full(questions, n),
      flops=cost[n]["flops"],
    )
    for column, n in enumerate(own)
  }
  return Evidence(
    table=measured.table({**cells, **(revised or {})}, samples.question_ids),
    estimates=(
      estimates.none(questions),
      estimates.oracle(samples.correct),
      estimates.predicted(samples),
      estimates.first_few(samples, few, cost[1]["flops"]),
      *given,
    ),
    baseline=baseline,
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
  return {
    "difficulty": {
      "bins": difficulty.BINS,
      "samples": correct.shape[1],
      "estimates": estimates.compare(evidence.estimates, correct, seed=seed),
    },
    "policy": policy_summary.summarise(
      evidence.table,
      evidence.estimates,
      evidence.baseline,
      budgets,
      splits=splits,
      seed=seed,
      rule=rule,
    ),
  }
