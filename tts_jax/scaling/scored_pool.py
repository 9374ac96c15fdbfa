"""A pool with a verifier's scores of every step."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tts_jax.scaling import verifier_summary
from tts_jax.store import pool, scores
from tts_jax.tasks import base


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ScoredPool:
  """A pool and its scores.

  Attributes:
    samples: the pool, [Q, N].
    step_score: [Q, N, R] float32, probabilities, 0 from the count on.
    step_logprob: [Q, N, R] float32, of each step's tokens, in nats.
    step_count: [Q, N] int32.
  """

  samples: pool.Pool
  step_score: np.ndarray
  step_logprob: np.ndarray
  step_count: np.ndarray

  @property
  def score(self) -> np.ndarray:
    """[Q, N] float32, of the last step; NaN for a solution without one."""
    return verifier_summary.aggregate(self.step_score, self.step_count)


def load(path: str | os.PathLike[str]) -> ScoredPool:
  """Loads a run's pool and scores: `scored_pool.load("runs/score")`.

  Raises:
    InputError: one of them is not whole.
  """
  samples = pool.load_pool(path)
  step_score, step_logprob, step_count = scores.load_scores(
    path, samples.question_ids, samples.correct.shape[1]
  )
  return ScoredPool(
    samples=samples,
    step_score=step_score,
    step_logprob=step_logprob,
    step_count=step_count,
  )


def first_wrong_steps(
  path: str | os.PathLike[str],
  samples: pool.Pool,
  questions: Sequence[base.Question],
  judge: base.JudgeSteps | None,
) -> np.ndarray | None:
  """[Q, N] int: the first wrong step of each sample, -1 for none.

  Args:
    path: the run's folder.
    samples: its pool.
    questions: of the pool.
    judge: of the task; None where it cannot tell, and then nor can this.
  """
  if judge is None:
    return None
  by_id = {question.id: question for question in questions}
  place = {id_: index for index, id_ in enumerate(samples.question_ids)}
  wrong = np.full(samples.correct.shape, -1)
  for id_, sample, text in pool.texts(path):
    wrong[place[id_], sample] = base.first_wrong(judge(by_id[id_], text))
  return wrong


def measure(
  scored: ScoredPool,
  ks: Sequence[int],
  *,
  first_wrong: np.ndarray | None = None,
  logprobs: bool = True,
  seed: int = 0,
  draws: int = 1000,
) -> dict[str, Any]:
  """`verifier_summary.summarise` of a scored pool.

  `logprobs` is False where the pool's log-probabilities are not known.
  """
  found = scored.samples
  return verifier_summary.summarise(
    question_ids=found.question_ids,
    answers=found.answers,
    correct=found.correct,
    step_score=scored.step_score,
    step_count=scored.step_count,
    logprob=found.logprob if logprobs else None,
    step_logprob=scored.step_logprob if logprobs else None,
    first_wrong=first_wrong,
    ks=ks,
    seed=seed,
    draws=draws,
  )
