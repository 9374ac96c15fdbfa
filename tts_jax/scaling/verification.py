"""How well a verifier tells right from wrong.

Over all samples, a verifier may look good for knowing how hard a question is;
only what it knows within a question can choose among its answers. So both are
measured. `Q` questions, `N` samples each, `R` steps, `B` any number of scored
things.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import chex
import numpy as np

from tts_jax import errors
from tts_jax.scaling import choices, intervals


@dataclasses.dataclass(frozen=True, eq=False)
class Calibration:
  """What share is right of what is given each score.

  Attributes:
    score: [bins] mean score in each bin of equal width, NaN in an empty one.
    label: [bins] mean label, NaN in an empty one.
    count: [bins] int, how many scores fell into it.
    error: the mean distance of score and label, bins weighted by `count`: the
      expected calibration error.
  """

  score: np.ndarray
  label: np.ndarray
  count: np.ndarray
  error: float

  def curve(self) -> list[dict[str, float | int]]:
    """The bins that hold something, ready for JSON."""
    columns = zip(self.score, self.label, self.count, strict=True)
    return [
      {"score": float(score), "label": float(label), "count": int(count)}
      for score, label, count in columns
      if count
    ]


@dataclasses.dataclass(frozen=True)
class FirstError:
  """ProcessBench's measure of finding the first wrong step.

  Attributes:
    erroneous: share of the solutions with a wrong step whose first one is found
      exactly; NaN without such solutions.
    right: share of the solutions without one that are passed; NaN likewise.
    f1: their harmonic mean.
  """

  erroneous: float
  right: float
  f1: float


def auc(
  score: np.ndarray, label: np.ndarray, *, threshold: float = 0.5
) -> float:
  """The chance that a right thing scores above a wrong one; ties count half.

  Args:
    score: [B] float, any scale.
    label: [B] bool, or soft labels.
    threshold: a label above it is right; a share of rollouts is so by majority.

  Returns:
    The area under the ROC curve, NaN where all labels are alike.

  Raises:
    InputError: a score is NaN.
  """
  chex.assert_rank([score, label], 1)
  chex.assert_equal_shape([score, label])
  if np.isnan(score).any():
    raise errors.InputError(
      f"{np.isnan(score).sum()} of {len(score)} scores are NaN; every score"
      " must be a number"
    )
  positive = label > threshold
  right, wrong = score[positive], np.sort(score[~positive])
  if not len(right) or not len(wrong):
    return float("nan")
  below = np.searchsorted(wrong, right, "left").astype(np.int64)
  upto = np.searchsorted(wrong, right, "right").astype(np.int64)
  return float((below + upto).sum() / (2 * len(right) * len(wrong)))


def auc_within_question(
  score: np.ndarray, correct: np.ndarray, valid: np.ndarray | None = None
) -> np.ndarray:
  """The AUC among the samples of each question.

  Args:
    score: [Q, N] float, any scale.
    correct: [Q, N] bool.
    valid: [Q, N] bool, the samples that have a score; None: all.

  Returns:
    [Q] float64, NaN for a question whose samples are all right or all wrong.

  Raises:
    InputError: a score is NaN.
  """
  chex.assert_equal_shape([score, correct])
  valid = np.ones(score.shape, bool) if valid is None else valid
  rows = zip(score, correct, valid, strict=True)
  return np.array([auc(s[v], c[v]) for s, c, v in rows])


def mean_within(
  within: np.ndarray,
  correct: np.ndarray | None = None,
  *,
  valid: np.ndarray | None = None,
  seed: int = 0,
) -> intervals.Interval | None:
  """The mean over questions that have both right and wrong samples.

  Args:
    within: [Q], of `auc_within_question`.
    correct: [Q, N] bool: weighs questions by their pairs of a right and a wrong
      sample. None: questions count alike.
    valid: [Q, N] bool, as of `auc_within_question`.
    seed: of the resampling of questions.

  Returns:
    An interval of shape [], None where no question has both.
  """
  both = ~np.isnan(within)
  if not both.any():
    return None
  weight = np.ones(len(within))
  if correct is not None:
    valid = np.ones(correct.shape, bool) if valid is None else valid
    right = (correct & valid).sum(1)
    weight = right * (valid.sum(1) - right).astype(np.float64)
  totals = within[both] * weight[both]
  return intervals.bootstrap_ratio(totals, weight[both], seed=seed)


def calibration(
  score: np.ndarray, label: np.ndarray, bins: int = 10
) -> Calibration:
  """Compares probabilities with what came of them.

  Args:
    score: [B] float, probabilities.
    label: [B] bool, or soft labels.
    bins: of equal width on [0, 1]; 1 belongs to the last.

  Raises:
    InputError: no scores, a score outside [0, 1], or fewer than 1 bin.
  """
  chex.assert_rank([score, label], 1)
  chex.assert_equal_shape([score, label])
  if not len(score) or bins < 1:
    raise errors.InputError(
      f"{len(score)} scores in {bins} bins: calibration needs 1 of each or more"
    )
  choices.check_probabilities(score)
  place = np.minimum((score * bins).astype(np.int64), bins - 1)
  count = np.bincount(place, minlength=bins)
  totals = [
    np.bincount(place, weights=np.asarray(each, np.float64), minlength=bins)
    for each in (score, label)
  ]
  safe = np.where(count, count, np.nan)
  gap = np.abs(totals[0] - totals[1]).sum() / len(score)
  return Calibration(
    score=totals[0] / safe,
    label=totals[1] / safe,
    count=count,
    error=float(gap),
  )


def first_below(
  step_score: np.ndarray,
  step_count: np.ndarray,
  threshold: float | np.ndarray,
) -> np.ndarray:
  """[B] int: the first step that scores below the threshold, -1 for none.

  Args:
    step_score: [B, R] float.
    step_count: [B] int.
    threshold: a step at it or above passes; or [B, 1], one each.
  """
  live = np.arange(step_score.shape[1]) < step_count[:, None]
  below = live & (step_score < threshold)
  return np.where(below.any(1), below.argmax(1), -1)


def first_error(predicted: np.ndarray, truth: np.ndarray) -> FirstError:
  """Scores predictions of the first wrong step as ProcessBench does.

  Args:
    predicted: [B] int, a step's index or -1 for none.
    truth: as `predicted`.
  """
  chex.assert_equal_shape([predicted, truth])
  hit, faulty = predicted == truth, truth >= 0
  found = _mean(hit[faulty])
  passed = _mean(hit[~faulty])
  total = found + passed
  f1 = 2 * found * passed / total if total else 0.0
  return FirstError(erroneous=found, right=passed, f1=f1)


def best_threshold(
  step_score: np.ndarray,
  step_count: np.ndarray,
  truth: np.ndarray,
  thresholds: Sequence[float] = tuple(np.linspace(0.02, 0.98, 49)),
) -> float:
  """The threshold with the best F1; the first of equals.

  Measure it on other questions than those that chose it.

  Args:
    step_score: [B, R] float.
    step_count: [B] int.
    truth: [B] int, index of the first wrong step, -1 for none.
    thresholds: to choose from.
  """
  scores = [
    first_error(first_below(step_score, step_count, each), truth).f1
    for each in thresholds
  ]
  return float(thresholds[int(np.argmax(np.nan_to_num(scores)))])


def cross_fitted_first_error(
  step_score: np.ndarray, step_count: np.ndarray, truth: np.ndarray
) -> dict[str, Any]:
  """Finds first wrong steps with thresholds that other questions chose.

  The even questions choose for the odd ones, and the other way round.

  Args:
    step_score: [Q, N, R] float, Q at least 2.
    step_count: [Q, N] int.
    truth: [Q, N] int, index of the first wrong step, -1 for none.

  Returns:
    `erroneous`, `right` and `f1`, over all questions, and `thresholds`, of the
    even and of the odd ones.

  Raises:
    InputError: fewer than 2 questions.
  """
  if len(truth) < 2:
    raise errors.InputError(
      f"{len(truth)} questions cannot be halved to choose a threshold on one"
      " half and measure on the other; at least 2 are needed"
    )
  steps = step_score.shape[2]
  predicted = np.empty(truth.shape, np.int64)
  thresholds = [0.0, 0.0]
  for fold in (0, 1):
    chosen = best_threshold(
      step_score[1 - fold :: 2].reshape(-1, steps),
      step_count[1 - fold :: 2].reshape(-1),
      truth[1 - fold :: 2].reshape(-1),
    )
    held = first_below(
      step_score[fold::2].reshape(-1, steps),
      step_count[fold::2].reshape(-1),
      chosen,
    )
    predicted[fold::2] = held.reshape(truth[fold::2].shape)
    thresholds[fold] = chosen
  measured = first_error(predicted.reshape(-1), truth.reshape(-1))
  return {**dataclasses.asdict(measured), "thresholds": thresholds}


def _mean(values: np.ndarray) -> float:
  return float(values.mean()) if len(values) else float("nan")
