"""The numbers of a verifier and of searches against it, for `summary.json`."""

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tts_jax import types
from tts_jax.model import config, head
from tts_jax.scaling import flops, sweep, verifier_summary
from tts_jax.store import pool, scores, searches
from tts_jax.tasks import base

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
  questions: Sequence[base.Question],
  prompt_length: Sequence[int],
  budgets: Sequence[int],
  count: Callable[[types.Cost, np.ndarray, bool], np.ndarray],
  *,
  first_wrong: Callable[[base.Question, str], int] | None = None,
  seed: int = 0,
  draws: int = 1000,
) -> dict[str, Any]:
  """Reads a run's pool, scores and searches, and measures them.

  Args:
    path: the run's folder.
    questions: of the run, in its order.
    prompt_length: Q, tokens.
    budgets: of the choices, each at most the pool's samples.
    count: FLOPs of a ledger.
    first_wrong: from a question and a completion to the index of its first
      wrong step, -1 for none, where the task can tell.
    seed: of the random orders and of the resampling.
    draws: random orders for each question.

  Returns:
    `verifier`, as `verifier_summary.summarise` has it; `curves`,
    `curves_by_bin`, `ledger` and `comparisons`, as `scaling.sweep` has them.
  """
  found = pool.load_pool(path)
  step_score, step_logprob, step_count = scores.load_scores(
    path, "scores", found.correct.shape[1]
  )
  truth = None
  if first_wrong is not None:
    truth = _first_wrong(path, questions, found, first_wrong)
  verifier = verifier_summary.summarise(
    question_ids=found.question_ids,
    answers=found.answers,
    correct=found.correct,
    step_score=step_score,
    step_count=step_count,
    logprob=found.logprob,
    step_logprob=step_logprob,
    first_wrong=truth,
    ks=budgets,
    seed=seed,
    draws=draws,
  )
  samples = sweep.Samples(
    question_ids=found.question_ids,
    answers=found.answers,
    correct=found.correct,
    score=verifier_summary.aggregate(step_score, step_count),
    length=found.length,
    prompt_length=np.asarray(prompt_length),
  )
  made = searches.load_searches(path)
  values = sweep.search_values(made, found.question_ids)
  chosen = sweep.choice_values(samples, budgets, seed=seed, draws=draws)
  return {
    "verifier": verifier,
    "curves": sweep.curves(chosen | values, seed),
    "curves_by_bin": sweep.curves_by_bin(
      samples, values, budgets, seed=seed, draws=draws
    ),
    "ledger": sweep.ledger(made, samples, budgets, count),
    "comparisons": sweep.comparisons(chosen | values, _COMPARED),
  }


def _first_wrong(
  path: str | os.PathLike[str],
  questions: Sequence[base.Question],
  found: pool.Pool,
  judge: Callable[[base.Question, str], int],
) -> np.ndarray:
  """[Q, N] int: the first wrong step of each sample, -1 for none."""
  by_id: Mapping[str, base.Question] = {q.id: q for q in questions}
  once = functools.cache(lambda id_, text: judge(by_id[id_], text))
  place = {id_: index for index, id_ in enumerate(found.question_ids)}
  samples = found.correct.shape[1]
  wrong = np.full(found.correct.shape, -1)
  for id_, sample, text in pool.texts(path):
    if sample < samples:
      wrong[place[id_], sample] = once(id_, text)
  return wrong


def headline(summary: Mapping[str, Any]) -> str:
  """The first numbers of a sweep, as lines."""
  both = {**summary["verifier"], "curves": summary["curves"]}
  return verifier_summary.headline(both)
