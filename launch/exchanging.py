"""What the experiment tells of a larger model against test-time compute."""

from collections.abc import Sequence
from typing import Any

import ml_collections

from tts_jax.scaling import (
  estimates,
  exchange_folds,
  exchange_summary,
  optimal_summary,
)
from tts_jax.store import pool


def tell(
  config: ml_collections.ConfigDict,
  evidence: optimal_summary.Evidence,
  question_ids: Sequence[str],
  budgets: Sequence[int],
) -> dict[str, Any]:
  """`exchange` of a run's summary; nothing where no larger model is given.

  Args:
    config: of the run; `exchange.pool` is a run of launch.sample.
    evidence: strategies and estimates of the run.
    question_ids: of the run, in its order.
    budgets: in generations, rising.
  """
  wanted = config.exchange
  if wanted.pool == "none":
    return {}
  larger = pool.load_pool(wanted.pool)
  right = dict(zip(larger.question_ids, larger.correct[:, 0], strict=True))
  # The paper's bins: oracle difficulty, of the small model.
  oracle = next(
    one for one in evidence.estimates if one.name == estimates.ORACLE
  )
  folds = exchange_folds.of_policies(
    evidence.table, oracle, budgets, seed=config.seed
  )
  return {
    "exchange": exchange_summary.summarise(
      folds,
      exchange_folds.aligned(right, question_ids),
      size_ratio=wanted.size_ratio,
      seed=config.seed,
    )
  }
