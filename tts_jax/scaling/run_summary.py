"""The summary of a run, from the stages in its folder."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tts_jax import types
from tts_jax.decode import usage as usage_lib
from tts_jax.scaling import scored_pool, search_summary, summary
from tts_jax.store import pool
from tts_jax.tasks import base


def of_pool(
  samples: pool.Pool,
  questions: Sequence[base.Question],
  usage: usage_lib.Usage,
  *,
  seed: int,
) -> dict[str, Any]:
  """What a pool says without a verifier.

  Args:
    samples: [Q, N].
    questions: Q.
    usage: what the samples cost.
    seed: of the resampling.
  """
  budgets = summary.budgets(samples.correct.shape[1])
  groups = [base.group(question) for question in questions]
  return {
    **summary.summarise(samples.answers, samples.correct, budgets, seed),
    "groups": summary.by_group(samples.correct, groups, budgets, seed),
    "verdicts": samples.verdicts(),
    "truncated": int((~samples.finished).sum()),
    "commit": usage.commit,
    "tokens_generated": usage.stats.generated,
    "seconds": usage.seconds,
    "row_utilisation": usage.stats.utilisation,
  }


def of_searches(
  path: str | os.PathLike[str],
  questions: Sequence[base.Question],
  prompt_length: np.ndarray,
  count: Callable[[types.Cost, np.ndarray, bool], np.ndarray],
  judge: base.JudgeSteps | None,
  *,
  seed: int,
) -> dict[str, Any]:
  """What a scored pool and searches say.

  Args:
    path: the run's folder.
    questions: Q.
    prompt_length: [Q] int, tokens.
    count: FLOPs of a ledger.
    judge: of the task's steps, where it can tell.
    seed: of random subsets and of the resampling.

  Returns:
    What `search_summary.summarise` has, and `verifier`.
  """
  scored = scored_pool.load(path)
  budgets = summary.budgets(scored.samples.correct.shape[1])
  wrong = scored_pool.first_wrong_steps(path, scored.samples, questions, judge)
  return {
    **search_summary.summarise(
      path, scored, prompt_length, budgets, count, seed=seed
    ),
    "verifier": scored_pool.measure(
      scored, budgets, first_wrong=wrong, seed=seed
    ),
  }
