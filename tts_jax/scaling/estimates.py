"""Estimates of how hard a question is, and what they cost the budget.

Axis letters: `F` folds of the samples, `Q` questions, `N` samples. An estimate
that reads samples reads in each fold other columns than those that are scored
(section 3.2 of the paper). Higher is easier.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import chex
import numpy as np

from tts_jax import errors
from tts_jax.scaling import bin_edges, difficulty, measured, ranks, sweep

Folds = Sequence[tuple[slice, slice]]

# The estimate that reads the ground truth.
ORACLE = "oracle"
# The estimate of a difficulty head, which reads a question's prompt alone.
HEAD = "head"


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Estimate:
  """How hard each question is taken to be.

  Attributes:
    name: by which results and policies know it.
    value: [F, Q] float64, higher is easier; finite.
    generations: what estimating takes of a budget, in generations.
    flops: [Q] float64, and in FLOPs; NaN where they are not known.
  """

  name: str
  value: np.ndarray
  generations: int
  flops: np.ndarray

  def __post_init__(self) -> None:
    chex.assert_rank([self.value, self.flops], [2, 1])
    for fold in self.value:
      bin_edges.check_finite(fold)

  def bins(self, count: int = difficulty.BINS) -> np.ndarray:
    """[F, Q] int64: the quantile bin of each question, ties together."""
    return np.stack(
      [
        bin_edges.place(fold, bin_edges.edges(fold, count))
        for fold in self.value
      ]
    )

  def edges(self, count: int = difficulty.BINS) -> np.ndarray:
    """[count - 1]: edges over all folds, which place a new question."""
    return bin_edges.edges(self.value.ravel(), count)

  def final_bins(self, count: int = difficulty.BINS) -> np.ndarray:
    """[F, Q] int64: bins by `edges`, as a policy for new questions has them."""
    return bin_edges.place(self.value, self.edges(count))


def oracle(correct: np.ndarray, folds: Folds = difficulty.FOLDS) -> Estimate:
  """pass@1 of the samples that are not scored; free, as in the paper.

  Args:
    correct: [Q, N] bool.
    folds: of the columns.

  Raises:
    InputError: a fold has no sample to place a question by.
  """
  return _free(ORACLE, correct, folds)


def predicted(
  samples: sweep.Samples, folds: Folds = difficulty.FOLDS
) -> Estimate:
  """Mean score that the verifier gives their answers; free, as in the paper.

  No ground truth is read.

  Args:
    samples: a scored pool.
    folds: of its columns.

  Raises:
    InputError: as `answer_score`, or as `oracle`.
  """
  return _free("predicted", answer_score(samples), folds)


def first_few(
  samples: sweep.Samples,
  count: int,
  flops: np.ndarray,
  folds: Folds = difficulty.FOLDS,
) -> Estimate:
  """The same over the first few samples of the budget itself, which pays.

  What is drawn to estimate is not voted with: the policy has the rest of the
  budget, so that its value is a lower bound.

  Args:
    samples: a scored pool.
    count: how many samples.
    flops: [Q], of all of them and their scores; they share a prompt.
    folds: of the pool's columns.

  Raises:
    InputError: as `answer_score`; a fold has fewer samples.
  """
  score = answer_score(samples)
  value = []
  for seen, _ in folds:
    mine = score[:, seen]
    if not 1 <= count <= mine.shape[1]:
      raise errors.InputError(
        f"{count} samples cannot estimate difficulty; a fold of this pool has"
        f" 1 to {mine.shape[1]}"
      )
    value.append(mine[:, :count].mean(1))
  return Estimate(
    name=f"first_{count}",
    value=np.stack(value),
    generations=count,
    flops=np.asarray(flops, np.float64),
  )


def given(
  name: str,
  value: np.ndarray,
  flops: np.ndarray,
  folds: Folds = difficulty.FOLDS,
) -> Estimate:
  """An estimate from elsewhere, which read none of the pool's samples.

  Args:
    name: as `HEAD`.
    value: [Q] float, higher is easier.
    flops: [Q], what it costs.
    folds: of the pool's columns.
  """
  chex.assert_rank([value, flops], 1)
  chex.assert_equal_shape([value, flops])
  return Estimate(
    name=name,
    value=np.tile(np.asarray(value, np.float64), (len(folds), 1)),
    generations=0,
    flops=np.asarray(flops, np.float64),
  )


def none(questions: int, folds: Folds = difficulty.FOLDS) -> Estimate:
  """All questions alike: what a policy is worth that reads no difficulty."""
  nothing = np.zeros(questions)
  return given("none", nothing, nothing, folds)


def answer_score(samples: sweep.Samples) -> np.ndarray:
  """[Q, N] float64: a sample's score; 0 where it states no answer.

  A sample without an answer is wrong, which no verifier needs to say.

  Raises:
    InputError: the score of a sample with an answer is NaN.
  """
  stated = samples.answers >= 0
  wrong = np.flatnonzero((np.isnan(samples.score) & stated).any(1))
  if len(wrong):
    raise errors.InputError(
      f"question {samples.question_ids[wrong[0]]}: a sample's score is NaN;"
      " every sample that states an answer needs a score"
    )
  return np.where(stated, samples.score, 0.0).astype(np.float64)


def compare(
  found: Sequence[Estimate],
  correct: np.ndarray,
  folds: Folds = difficulty.FOLDS,
  *,
  bins: int = difficulty.BINS,
  seed: int = 0,
) -> dict[str, Any]:
  """Estimates side by side, ready for JSON.

  Args:
    found: of the same questions and folds.
    correct: [Q, N] bool.
    folds: of the columns.
    bins: how many.
    seed: of the resampling.

  Returns:
    {name: `rank_correlation`, an interval, with pass@1 of the samples that did
    not place the question; `sizes` of each fold's bins, ties together, and
    `sizes_apart`, ties parted by place; `edges`; `generations` and mean `flops`
    that it costs, if all are known}. The oracle's correlation is that of one
    half's pass@1 with the other's: the most that an estimate can have.
  """
  held = np.stack([correct[:, held].mean(1) for _, held in folds])
  # That some are free says nothing beside others of unknown cost.
  counted = all(measured.known(one.flops) for one in found)
  return {
    one.name: {
      "rank_correlation": ranks.correlation(
        one.value, held, seed=seed
      ).summary(),
      "sizes": [bin_edges.sizes(fold, bins) for fold in one.bins(bins)],
      "sizes_apart": [
        bin_edges.sizes(difficulty.quantile_bins(fold, bins), bins)
        for fold in one.value
      ],
      "edges": one.edges(bins).tolist(),
      "generations": one.generations,
      **(measured.flops(one.flops) if counted else {}),
    }
    for one in found
  }


def _free(name: str, values: np.ndarray, folds: Folds) -> Estimate:
  for seen, _ in folds:
    if not values[:, seen].shape[1]:
      raise errors.InputError(
        f"a pool of {values.shape[1]} samples a question cannot be halved;"
        " difficulty bins need at least 2"
      )
  return Estimate(
    name=name,
    value=np.stack([values[:, seen].mean(1) for seen, _ in folds]),
    generations=0,
    flops=np.zeros(len(values)),
  )
