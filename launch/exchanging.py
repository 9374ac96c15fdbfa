"""What the experiment tells of a larger model against test-time compute."""

from collections.abc import Sequence
from typing import Any

import ml_collections

from tts_jax import errors
from tts_jax.scaling import (
  estimates,
  exchange,
  exchange_folds,
  exchange_summary,
  measurements,
  optimal_summary,
)
from tts_jax.tasks import base
from tts_jax.verify import embedded


def check(
  config: ml_collections.ConfigDict, questions: Sequence[base.Question]
) -> None:
  """Refuses a larger model with which a run cannot be compared.

  Raises:
    InputError: there is no verifier, or too small a pool, for a policy; the
      size ratio is not above 1; the larger model did not answer all questions,
      or not greedily.
  """
  wanted = config.exchange
  if wanted.pool in ("", embedded.NONE):
    return
  why = optimal_summary.obstacle(
    len(questions), config.samples, measurements.FEW
  )
  if config.verifier == embedded.NONE:
    why = "config.verifier is 'none'"
  if why:
    raise errors.InputError(
      f"config.exchange.pool is compared with a policy, and {why}"
    )
  exchange.check_ratios(wanted.size_ratio, ())
  exchange_folds.larger(wanted.pool, [one.id for one in questions])


def tell(
  config: ml_collections.ConfigDict,
  evidence: optimal_summary.Evidence,
  question_ids: Sequence[str],
  budgets: Sequence[int],
) -> dict[str, Any]:
  """`exchange` of a run's summary; nothing where no larger model is given.

  That it can be told was seen to by `check`, before anything was drawn.

  Args:
    config: of the run; `exchange.pool` is a run of launch.sample, or empty.
    evidence: strategies and estimates of the run.
    question_ids: of the run, in its order.
    budgets: in generations, rising.
  """
  wanted = config.exchange
  pool = embedded.larger(wanted.pool, config.model)
  if pool is None:
    return {}
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
      exchange_folds.larger(pool, question_ids),
      size_ratio=wanted.size_ratio,
      seed=config.seed,
    )
  }
