"""The summary of a run, from the stages in its folder."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tts_jax import types
from tts_jax.decode import usage as usage_lib
from tts_jax.scaling import (
  measurements,
  scored_pool,
  search_summary,
  summary,
  sweep,
  weak_verifiers,
)
from tts_jax.store import chains as chains_store
from tts_jax.store import pool
from tts_jax.tasks import base


def of_pool(
  samples: pool.Pool,
  questions: Sequence[base.Question],
  usage: usage_lib.Usage | None,
  *,
  finished: bool = True,
  seed: int,
) -> dict[str, Any]:
  """What a pool says without a verifier.

  Args:
    samples: [Q, N].
    questions: Q.
    usage: what the samples cost; None: it is not known.
    finished: it is known which samples came to their end.
    seed: of the resampling.
  """
  budgets = summary.budgets(samples.correct.shape[1])
  groups = [base.group(question) for question in questions]
  slices = {
    name: [str(question.meta[name]) for question in questions]
    for name in base.SLICES
    if all(name in question.meta for question in questions)
  }
  told = {
    **summary.summarise(samples.answers, samples.correct, budgets, seed),
    "groups": summary.by_group(samples.correct, groups, budgets, seed),
    "slices": {
      name: summary.by_group(samples.correct, values, budgets, seed)
      for name, values in slices.items()
    },
    "verdicts": samples.verdicts(),
    **({"truncated": int((~samples.finished).sum())} if finished else {}),
  }
  if usage is None:
    return told
  return {
    **told,
    "commit": usage.commit,
    "tokens_generated": usage.stats.generated,
    "seconds": usage.seconds,
    "row_utilisation": usage.stats.utilisation,
  }


def measure(
  path: str | os.PathLike[str],
  scored: scored_pool.ScoredPool,
  prompt_length: np.ndarray,
  *,
  seed: int,
) -> measurements.Measurements:
  """What all that follows reads of a scored pool and searches.

  Args:
    path: the run's folder.
    scored: its pool with scores.
    prompt_length: [Q] int, tokens.
    seed: of random subsets.
  """
  budgets = summary.budgets(scored.samples.correct.shape[1])
  return measurements.load(path, scored, prompt_length, budgets, seed=seed)


def of_searches(
  path: str | os.PathLike[str],
  questions: Sequence[base.Question],
  scored: scored_pool.ScoredPool,
  made: measurements.Measurements,
  count: Callable[[types.Cost, np.ndarray, bool], np.ndarray],
  judge: base.JudgeSteps | None,
  *,
  chains: chains_store.Chains | None = None,
  seed: int,
) -> dict[str, Any]:
  """What a scored pool and searches say.

  Args:
    path: the run's folder.
    questions: Q.
    scored: its pool with scores.
    made: of it, as `measure` gives it.
    count: FLOPs of a ledger.
    judge: of the task's steps, where it can tell.
    chains: of a revision model, on the same questions.
    seed: of random subsets and of the resampling.

  Returns:
    What `search_summary.summarise` has, `verifier`, and `weak_verifiers`: their
    `curves`, and the `share` of scores that are turned.
  """
  wrong = scored_pool.first_wrong_steps(path, scored.samples, questions, judge)
  return {
    **search_summary.summarise(made, count, seed=seed),
    "verifier": scored_pool.measure(
      scored, made.budgets, first_wrong=wrong, seed=seed
    ),
    "weak_verifiers": _weak(scored, made, chains, seed),
  }


def of_scores(
  scored: scored_pool.ScoredPool,
  made: measurements.Measurements,
  *,
  seed: int,
) -> dict[str, Any]:
  """What a scored pool says of which no tokens are known, and no model.

  Args:
    scored: the pool with scores.
    made: of it.
    seed: of random subsets and of the resampling.

  Returns:
    What `search_summary.of_choices` has, `verifier` without log-probabilities,
    and `weak_verifiers`, as of `of_searches`.
  """
  return {
    **search_summary.of_choices(made, seed=seed),
    "verifier": scored_pool.measure(
      scored, made.budgets, logprobs=False, seed=seed
    ),
    "weak_verifiers": _weak(scored, made, None, seed),
  }


def _weak(
  scored: scored_pool.ScoredPool,
  made: measurements.Measurements,
  chains: chains_store.Chains | None,
  seed: int,
) -> dict[str, Any]:
  found = weak_verifiers.values(
    scored.samples,
    made.samples.score,
    made.budgets,
    chains=chains,
    known=made.chosen,
    seed=seed,
  )
  return {
    "curves": sweep.curves(found, seed),
    "share": weak_verifiers.SHARE,
  }
