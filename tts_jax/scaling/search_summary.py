"""The numbers of searches against a verifier, for `summary.json`."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tts_jax import types
from tts_jax.model import config, head
from tts_jax.scaling import flops, scored_pool, sweep
from tts_jax.store import searches

# What the paper's claims come down to.
_COMPARED = (
  (("beam_4", 16), ("best_of_n_weighted", 64)),
  (("beam_sqrt", 16), ("best_of_n_weighted", 64)),
  *((("beam_4", n), ("best_of_n_weighted", n)) for n in (4, 16, 64, 256)),
  *((("beam_sqrt", n), ("best_of_n_weighted", n)) for n in (4, 16, 64, 256)),
  *((("best_of_n_weighted", n), ("majority", n)) for n in (4, 16, 64, 256)),
)


def count_flops(
  model: config.TransformerConfig, verifier: head.HeadConfig
) -> Callable[[types.Cost, np.ndarray, bool], np.ndarray]:
  """FLOPs of a ledger, for `sweep.ledger`; the verifier shares the backbone."""
  network, judge = flops.transformer(model), flops.reward_head(verifier)

  def count(cost: types.Cost, context: np.ndarray, judged: bool) -> np.ndarray:
    return flops.flops(
      cost, network, verifier=judge if judged else None, context=context
    )

  return count


def summarise(
  path: str | os.PathLike[str],
  scored: scored_pool.ScoredPool,
  prompt_length: np.ndarray,
  budgets: Sequence[int],
  count: Callable[[types.Cost, np.ndarray, bool], np.ndarray],
  *,
  seed: int = 0,
  draws: int = 1000,
) -> dict[str, Any]:
  """Measures a run's searches, beside choices among its pool's samples.

  Args:
    path: the run's folder.
    scored: its pool with scores.
    prompt_length: [Q] int, tokens.
    budgets: of the choices, each at most the pool's samples.
    count: FLOPs of a ledger.
    seed: of the random subsets and of the resampling.
    draws: random subsets for each question.

  Returns:
    `curves`, `curves_by_bin`, `ledger` and `comparisons`, as `scaling.sweep`
    has them.
  """
  found = scored.samples
  samples = sweep.Samples(
    question_ids=found.question_ids,
    answers=found.answers,
    correct=found.correct,
    score=scored.score,
    length=found.length,
    prompt_length=prompt_length,
  )
  made = searches.load_searches(path)
  values = sweep.search_values(made, found.question_ids)
  chosen = sweep.choice_values(samples, budgets, seed=seed, draws=draws)
  return {
    "curves": sweep.curves(chosen | values, seed),
    "curves_by_bin": sweep.curves_by_bin(
      samples, values, budgets, seed=seed, draws=draws
    ),
    "ledger": sweep.ledger(made, samples, budgets, count),
    "comparisons": sweep.comparisons(chosen | values, _COMPARED),
  }
