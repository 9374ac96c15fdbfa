"""The numbers of a pool, as `summary.json` holds them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tts_jax import errors
from tts_jax.scaling import difficulty, estimators, intervals

# Where the room above majority is always stated, when the pool is that large.
_ROOM_AT = 64


def budgets(samples: int) -> list[int]:
  """The powers of two below the pool's size, from 1, and the size itself."""
  powers = [2**power for power in range(samples.bit_length())]
  return sorted({*powers, samples})


def check(questions: int, samples: int, seed: int) -> None:
  """Checks, before anything is sampled, that a pool can be summarised.

  Raises:
    InputError: fewer than 5 questions or 2 samples, or a seed below 0.
  """
  if questions < difficulty.BINS:
    raise errors.InputError(
      f"there are {questions} questions; at least {difficulty.BINS} are needed,"
      " one a difficulty bin"
    )
  if samples < 2:
    raise errors.InputError(
      f"config.samples is {samples}; at least 2 are needed, one to place a"
      " question in its bin and one to score it"
    )
  if seed < 0:
    raise errors.InputError(f"config.seed is {seed}; it must be at least 0")


def summarise(
  answers: np.ndarray,
  correct: np.ndarray,
  ks: Sequence[int],
  seed: int,
  *,
  draws: int = 1000,
) -> dict[str, Any]:
  """Accuracy against samples, overall and by difficulty.

  Args:
    answers: [Q, N] int32, the group of the sample's answer; -1 for none.
    correct: [Q, N] bool.
    ks: budgets, each between 1 and N; 1 is always added. Bins, scored on half
      the samples, report those up to N // 2.
    seed: of the random subsets and of the resampling.
    draws: random subsets for each question, for majority@k.

  Returns:
    A dictionary ready for JSON, where an interval is {"mean", "low", "high"}:
    `questions`, `samples`; `pass_at_1`, a number; `pass_at_k` and
    `majority_at_k`, {k: interval}; `room`, {k: interval} of pass@k minus
    majority@k at the largest k and at 64; `bins`, the easiest first, each with
    `questions`, `pass_at_1`, its `low` and `high`, `pass_at_k` and
    `majority_at_k`.

  Raises:
    InputError: a budget does not fit the pool, fewer than 5 questions, or fewer
      than 2 samples.

  Example:
    >>> answers, correct = np.zeros((5, 4), int), np.eye(5, 4) > 0
    >>> tts.summarise(answers, correct, [1, 4], seed=0)["pass_at_1"]
    0.2
  """
  ks = sorted({1, *ks})
  questions, samples = correct.shape
  passed = estimators.pass_at_k(correct, ks)
  majority = estimators.majority_at_k(
    answers, correct, ks, seed=seed, draws=draws
  )
  room_ks = sorted({ks[-1], _ROOM_AT} & set(ks))
  columns = [ks.index(k) for k in room_ks]
  room = intervals.paired_difference(
    passed[:, columns], majority[:, columns], seed=seed
  )
  return {
    "questions": questions,
    "samples": samples,
    "pass_at_1": float(passed[:, 0].mean()),
    "pass_at_k": _by_k(ks, intervals.bootstrap(passed, seed=seed)),
    "majority_at_k": _by_k(ks, intervals.bootstrap(majority, seed=seed)),
    "room": _by_k(room_ks, room),
    "bins": _bins(answers, correct, ks, seed, draws),
  }


def headline(summary: Mapping[str, Any]) -> str:
  """The first numbers of a summary, as a line."""
  single, most = summary["pass_at_k"]["1"], str(summary["samples"])
  return (
    f"pass@1 {single['mean']:.3f} [{single['low']:.3f}, {single['high']:.3f}]"
    f"  majority@{most} {summary['majority_at_k'][most]['mean']:.3f}"
    f"  pass@{most} {summary['pass_at_k'][most]['mean']:.3f}"
  )


def by_group(
  correct: np.ndarray, names: Sequence[str], ks: Sequence[int], seed: int
) -> dict[str, dict[str, Any]]:
  """pass@k of each group of questions, such as held-out templates.

  Args:
    correct: [Q, N] bool.
    names: Q names, the group of each question.
    ks: budgets.
    seed: of the resampling.

  Returns:
    {name: {"questions", "pass_at_k": {k: interval}}}.
  """
  groups = {}
  for name in sorted(set(names)):
    mine = correct[np.array(names) == name]
    passed = intervals.bootstrap(estimators.pass_at_k(mine, ks), seed=seed)
    groups[name] = {"questions": len(mine), "pass_at_k": _by_k(ks, passed)}
  return groups


def _bins(
  answers: np.ndarray,
  correct: np.ndarray,
  ks: Sequence[int],
  seed: int,
  draws: int,
) -> list[dict[str, Any]]:
  half = [k for k in ks if k <= correct.shape[1] // 2]
  passed = difficulty.binned_pass_at_k(correct, half, seed=seed)
  majority = difficulty.binned_majority_at_k(
    answers, correct, half, seed=seed, draws=draws
  )
  bins = []
  for first, each, vote in zip(
    difficulty.binned_pass_at_1(correct, seed=seed),
    passed,
    majority,
    strict=True,
  ):
    single = first.score.summary()
    bins.append(
      {
        "questions": first.questions,
        "pass_at_1": single["mean"],
        "low": single["low"],
        "high": single["high"],
        "pass_at_k": _by_k(half, each.score),
        "majority_at_k": _by_k(half, vote.score),
      }
    )
  return bins


def _by_k(
  ks: Sequence[int], interval: intervals.Interval
) -> dict[str, dict[str, float]]:
  return {str(k): interval.summary(column) for column, k in enumerate(ks)}
