"""What samples that somebody else made say, without a model."""

from collections.abc import Mapping, Sequence

import numpy as np

from tts_jax import errors
from tts_jax.scaling import (
  measurements,
  scored_pool,
  summary,
  sweep,
  verifier_summary,
)
from tts_jax.store import pool
from tts_jax.tasks import base
from tts_jax.verify import choosing

# Fields of search-and-learn, "pred_maj@8": what was chosen of the first 8.
_VOTES: Mapping[str, str] = {
  "naive": "best_of_n",
  "weighted": "best_of_n_weighted",
  "maj": "majority",
}


def check(aggregation: str) -> None:
  """Refuses a name that is none of `verifier_summary.AGGREGATIONS`.

  Raises:
    InputError: as said.
  """
  if aggregation not in verifier_summary.AGGREGATIONS:
    names = ", ".join(verifier_summary.AGGREGATIONS)
    raise errors.InputError(
      f"config.aggregation is {aggregation!r}; it must be of {names}"
    )


def score(scored: scored_pool.ScoredPool, aggregation: str) -> np.ndarray:
  """[Q, N] float32: a solution's score from those of its steps.

  Args:
    scored: [Q, N].
    aggregation: of `verifier_summary.AGGREGATIONS`.
  """
  function = verifier_summary.AGGREGATIONS[aggregation]
  return verifier_summary.aggregate(
    scored.step_score, scored.step_count, function
  )


def measure(
  scored: scored_pool.ScoredPool, score: np.ndarray, *, seed: int
) -> measurements.Measurements:
  """What choices among the samples are worth; of prompts nothing is known.

  Args:
    scored: [Q, N].
    score: [Q, N], of solutions, as `score` gives it.
    seed: of random subsets.
  """
  found = scored.samples
  samples = sweep.Samples(
    question_ids=found.question_ids,
    answers=found.answers,
    correct=found.correct,
    score=score,
    length=found.length,
    prompt_length=np.full(len(score), np.nan),
  )
  budgets = summary.budgets(score.shape[1])
  return measurements.measure(samples, {}, budgets, seed=seed)


def votes(
  samples: pool.Pool,
  scores: np.ndarray | None,
  questions: Sequence[base.Question],
  task: base.Task,
) -> dict[str, dict[str, int]]:
  """What a file says was chosen, beside what is chosen here.

  Args:
    samples: [Q, N].
    scores: [Q, N], of solutions; None: only votes without them are looked at.
    questions: Q, in the pool's order; `meta` has "pred_maj@8" and the like,
      what search-and-learn chose of each question's first samples.
    task: reads answers.

  Returns:
    {"maj@8": `questions` that have it, and `agree`, how many of these have the
    answer that is chosen here, or one that ties with it}.
  """
  found: dict[str, dict[str, int]] = {}
  most = samples.answers.shape[1]
  for place, question in enumerate(questions):
    for name, said in question.meta.items():
      kind, _, budget = name.removeprefix("pred_").partition("@")
      known = name.startswith("pred_") and kind in _VOTES and budget.isdecimal()
      if not known or not 1 <= int(budget) <= most or not isinstance(said, str):
        continue
      if scores is None and kind != "maj":
        continue
      n = int(budget)
      answers = samples.answers[place, :n]
      parts = [answers]
      if scores is not None and kind != "maj":
        parts.append(scores[place, :n])
      share = np.asarray(getattr(choosing, _VOTES[kind])(*parts))
      chosen = {int(one) for one in answers[share > 0] if one >= 0}
      leaders: set[str | None] = {samples.groups[place][i] for i in chosen}
      leaders = leaders or {None}
      stated = task.extract(said)
      theirs = None if stated is None else task.canonical(stated)
      one = found.setdefault(f"{kind}@{n}", {"questions": 0, "agree": 0})
      one["questions"] += 1
      one["agree"] += theirs in leaders
  return found
