"""The numbers of a verifier on a pool, as `summary.json` holds them.

What the verifier's scores are measured by, log-probabilities are measured by
too, on the same samples: they come for nothing, so they are the bar.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import chex
import jax
import numpy as np

from tts_jax.scaling import choices, estimators, intervals, verification
from tts_jax.verify import choosing

AGGREGATIONS: Mapping[str, Callable[..., chex.Array]] = {
  "last": choosing.last,
  "least": choosing.least,
  "product": choosing.product,
}


def aggregate(
  step_score: np.ndarray,
  step_count: np.ndarray,
  aggregation: Callable[..., chex.Array] = choosing.last,
) -> np.ndarray:
  """Scores of solutions from those of their steps.

  Args:
    step_score: [Q, N, R] float32.
    step_count: [Q, N] int32.
    aggregation: for one question, such as `choosing.last`.

  Returns:
    [Q, N] float32, NaN for a solution without steps.
  """
  return np.asarray(jax.vmap(aggregation)(step_score, step_count))


def summarise(
  *,
  question_ids: Sequence[str],
  answers: np.ndarray,
  correct: np.ndarray,
  step_score: np.ndarray,
  step_count: np.ndarray,
  logprob: np.ndarray | None,
  ks: Sequence[int],
  step_label: np.ndarray | None = None,
  step_logprob: np.ndarray | None = None,
  first_wrong: np.ndarray | None = None,
  seed: int = 0,
  draws: int = 1000,
) -> dict[str, Any]:
  """Measures a verifier on the samples of a pool.

  A solution's score is that of its last step, but for `aggregations`.

  Args:
    question_ids: Q ids.
    answers: [Q, N] int32, the group of the sample's answer; -1 for none.
    correct: [Q, N] bool.
    step_score: [Q, N, R] float32, probabilities; anything from the count on.
    step_count: [Q, N] int32; every sample with an answer has a step.
    logprob: [Q, N] float, of the whole completion, in nats; None where it is
      not known, and then nothing is said of it.
    ks: budgets, each between 1 and N; 1 is always added.
    step_label: [Q, N, R] float, a step's share of right rollouts, NaN where it
      has none. None: a step's label is its solution's outcome.
    step_logprob: [Q, N, R] float, of each step's own tokens, in nats; with it
      the baseline is measured by step as well.
    first_wrong: [Q, N] int, index of the first wrong step, -1 for none, where
      the task can tell; Q at least 2.
    seed: of the random subsets and of the resampling.
    draws: random subsets for each question.

  Returns:
    A dictionary ready for JSON, where an interval is {"mean", "low", "high"}
    and a measure that the pool cannot give is None:
    `samples` and `unscored`, those of them without a step; `auc` and `ece`,
    over all steps; `auc_final` and `ece_final`, over solutions;
    `auc_within_question`, the mean over questions with right and wrong samples
    of the AUC at the final step, `auc_within_question_interval`, and
    `auc_within_question_by_pairs`, questions weighted by their pairs;
    `logprob_` with each of these, and `auc_within_question_gain`, the interval
    of the difference; `calibration` and `calibration_final`, curves;
    `curves`, {method: {k: interval}}; `differences`, {name: {k: interval}},
    paired by question; `aggregations`, {name: ...} with the AUC within a
    question and both curves; `first_error` and `logprob_first_error`.

  Raises:
    InputError: a score that is used is NaN or no probability, or a budget does
      not fit the pool.
  """
  chex.assert_equal_shape([answers, correct, step_count])
  live = np.arange(step_score.shape[2]) < step_count[..., None]
  choosing.check_scores(question_ids, step_score, live)
  scores = {
    name: aggregate(step_score, step_count, function)
    for name, function in AGGREGATIONS.items()
  }
  choosing.check_scores(question_ids, scores["last"], answers >= 0)
  chance = None
  if logprob is not None:
    chex.assert_equal_shape([answers, logprob])
    choosing.check_scores(question_ids, logprob, np.ones(logprob.shape, bool))
    chance = np.exp(np.asarray(logprob, np.float64))
  if step_label is None:
    step_label = np.broadcast_to(correct[..., None], live.shape)
  labelled = live & ~np.isnan(step_label)
  labels = np.asarray(step_label, np.float64)[labelled]
  result: dict[str, Any] = {
    "samples": int(correct.size),
    "unscored": int((step_count == 0).sum()),
    **_by_step("", step_score[labelled], labels),
  }
  steps = verification.calibration(step_score[labelled], labels)
  judged = step_count > 0
  final = verification.calibration(scores["last"][judged], correct[judged])
  result["calibration"] = steps.curve()
  result["calibration_final"] = final.curve()
  if step_logprob is not None:
    so_far = np.exp(np.cumsum(np.where(live, step_logprob, 0), -1))
    result |= _by_step("logprob_", so_far[labelled], labels)
  result |= _by_solution("", scores["last"], correct, judged, seed)
  if chance is not None:
    result |= _by_solution("logprob_", chance, correct, judged, seed)
    result["auc_within_question_gain"] = _gain(
      scores["last"], chance, correct, judged, seed
    )
  ks = sorted({1, *ks})
  result |= _choices(answers, correct, scores, chance, judged, ks, seed, draws)
  if first_wrong is not None:
    result["first_error"] = _first_error(step_score, step_count, first_wrong)
    if step_logprob is not None:
      result["logprob_first_error"] = _first_error(
        np.exp(step_logprob), step_count, first_wrong
      )
  return result


def _by_step(
  prefix: str, score: np.ndarray, labels: np.ndarray
) -> dict[str, Any]:
  return {
    f"{prefix}auc": _number(verification.auc(score, labels)),
    f"{prefix}ece": verification.calibration(score, labels).error,
  }


def _by_solution(
  prefix: str,
  score: np.ndarray,
  correct: np.ndarray,
  judged: np.ndarray,
  seed: int,
) -> dict[str, Any]:
  within = verification.auc_within_question(score, correct, judged)
  mean = verification.mean_within(within, seed=seed)
  pairs = verification.mean_within(within, correct, valid=judged, seed=seed)
  flat = score[judged], correct[judged]
  name = f"{prefix}auc_within_question"
  return {
    f"{prefix}auc_final": _number(verification.auc(*flat)),
    f"{prefix}ece_final": verification.calibration(*flat).error,
    name: None if mean is None else float(mean.mean),
    f"{name}_interval": None if mean is None else mean.summary(),
    f"{name}_by_pairs": None if pairs is None else pairs.summary(),
  }


def _gain(
  score: np.ndarray,
  baseline: np.ndarray,
  correct: np.ndarray,
  judged: np.ndarray,
  seed: int,
) -> dict[str, float] | None:
  ours, theirs = (
    verification.auc_within_question(each, correct, judged)
    for each in (score, baseline)
  )
  both = ~np.isnan(ours)
  if not both.any():
    return None
  return intervals.paired_difference(
    ours[both], theirs[both], seed=seed
  ).summary()


def _choices(
  answers: np.ndarray,
  correct: np.ndarray,
  scores: Mapping[str, np.ndarray],
  chance: np.ndarray | None,
  judged: np.ndarray,
  ks: Sequence[int],
  seed: int,
  draws: int,
) -> dict[str, Any]:
  """`curves`, `differences` and `aggregations`."""

  def chosen(score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    best = choices.best_of_n_at_k(score, correct, ks, answers=answers)
    weighted = choices.weighted_at_k(
      answers, correct, score, ks, seed=seed, draws=draws
    )
    return best, weighted

  def shown(values: np.ndarray) -> dict[str, dict[str, float]]:
    interval = intervals.bootstrap(values, seed=seed)
    return {str(k): interval.summary(column) for column, k in enumerate(ks)}

  by_aggregation = {name: chosen(score) for name, score in scores.items()}
  best, weighted = by_aggregation["last"]
  majority = estimators.majority_at_k(
    answers, correct, ks, seed=seed, draws=draws
  )
  aggregations = {}
  for name, (one, other) in by_aggregation.items():
    within = verification.auc_within_question(scores[name], correct, judged)
    mean = verification.mean_within(within, seed=seed)
    aggregations[name] = {
      "auc_within_question": None if mean is None else mean.summary(),
      "best_of_n": shown(one),
      "best_of_n_weighted": shown(other),
    }
  bar: dict[str, np.ndarray] = {}
  over_bar: dict[str, np.ndarray] = {}
  if chance is not None:
    logprob_best, logprob_weighted = chosen(chance)
    bar = {
      "logprob_best_of_n": logprob_best,
      "logprob_best_of_n_weighted": logprob_weighted,
    }
    over_bar = {
      "weighted_minus_logprob_weighted": weighted - logprob_weighted,
      "best_of_n_minus_logprob_best_of_n": best - logprob_best,
    }
  return {
    "curves": {
      "majority": shown(majority),
      "best_of_n": shown(best),
      "best_of_n_weighted": shown(weighted),
      **{name: shown(values) for name, values in bar.items()},
    },
    # An interval of differences is the bootstrap of the paired values.
    "differences": {
      "weighted_minus_majority": shown(weighted - majority),
      "weighted_minus_best_of_n": shown(weighted - best),
      **{name: shown(values) for name, values in over_bar.items()},
      "best_of_n_minus_one_sample": shown(best - best[:, :1]),
      **{
        f"weighted_last_minus_{name}": shown(weighted - other)
        for name, (_, other) in by_aggregation.items()
        if name != "last"
      },
    },
    "aggregations": aggregations,
  }


def _first_error(
  step_score: np.ndarray, step_count: np.ndarray, truth: np.ndarray
) -> dict[str, Any]:
  measured = verification.cross_fitted_first_error(
    step_score, step_count, truth
  )
  return {
    name: _number(value) if isinstance(value, float) else value
    for name, value in measured.items()
  }


def _number(value: float) -> float | None:
  """JSON has no NaN."""
  return None if np.isnan(value) else value


def regime(measured: Mapping[str, Any], budget: int) -> dict[str, Any]:
  """What `regimes.json` keeps of a verifier: its row in their comparison.

  Args:
    measured: as `summarise` gives it.
    budget: N of the weighted best-of-N in the row, one of its budgets.

  Returns:
    `auc`, `auc_within_question`, `logprob_auc_within_question`, `ece`;
    `pass_at_1` of the generator whose samples were judged; `budget`,
    `best_of_n`, `best_of_n_weighted` and `majority` at it; `curves` of these.
  """
  curves = {
    name: measured["curves"][name]
    for name in ("best_of_n", "best_of_n_weighted", "majority")
  }
  return {
    "auc": measured["auc"],
    "auc_within_question": measured["auc_within_question_interval"],
    "logprob_auc_within_question": measured[
      "logprob_auc_within_question_interval"
    ],
    "ece": measured["ece"],
    # The best of one sample is the sample.
    "pass_at_1": measured["curves"]["best_of_n"]["1"],
    "budget": budget,
    **{name: curve[str(budget)] for name, curve in curves.items()},
    "curves": curves,
  }


def regimes_table(regimes: Mapping[str, Mapping[str, Any]]) -> str:
  """Rows of `regime` as a table in Markdown, one name each."""

  def cell(value: Any) -> str:
    if not isinstance(value, Mapping):
      return "none" if value is None else f"{value:.3f}"
    ends = f"[{value['low']:.3f}, {value['high']:.3f}]"
    return f"{value['mean']:.3f} {ends}"

  budget = next(iter(regimes.values()))["budget"]
  columns = {
    "AUC": "auc",
    "AUC within a question": "auc_within_question",
    "of log-probability": "logprob_auc_within_question",
    "calibration error": "ece",
    f"weighted best-of-{budget}": "best_of_n_weighted",
    f"majority of {budget}": "majority",
    "pass@1": "pass_at_1",
  }
  rows = [("", *columns), ("---",) * (len(columns) + 1)]
  rows += [
    (name, *(cell(one[key]) for key in columns.values()))
    for name, one in regimes.items()
  ]
  return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def headline(summary: Mapping[str, Any]) -> str:
  """The first numbers of a verifier, and its curves, as lines."""
  numbers = {
    "AUC": "auc",
    "within a question": "auc_within_question",
    "of log-probability": "logprob_auc_within_question",
    "calibration error": "ece",
  }
  lines = [
    ", ".join(
      f"{name} {'none' if (value := summary[key]) is None else f'{value:.3f}'}"
      for name, key in numbers.items()
      if key in summary
    )
  ]
  for method, by_budget in summary["curves"].items():
    shown = "  ".join(
      f"{budget}: {one['mean']:.3f}" for budget, one in by_budget.items()
    )
    lines.append(f"{method:>26}  {shown}")
  return "\n".join(lines)
