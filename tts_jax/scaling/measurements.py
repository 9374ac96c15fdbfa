"""What a run measured with a verifier, worked out once for all who tell of it.

The values of choices among samples are expectations over many subsets of them,
which take longer than all that is made of them after.
"""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from tts_jax.scaling import difficulty, scored_pool, sweep
from tts_jax.store import searches

# Samples that an estimate of difficulty may take of a budget, before the rest
# of it is spent.
FEW = 4


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Measurements:
  """A scored pool, searches of the same questions, and their values.

  Attributes:
    samples: the pool.
    found: the searches; may be empty.
    budgets: of choices among the samples, each at most the pool's.
    searched: values of the searches.
    chosen: of choices among all samples.
    by_fold: of choices among the samples that each of `difficulty.FOLDS` holds
      out, at those budgets that they suffice for, and at what the first few
      samples leave of each.
    few: how many these are.
  """

  samples: sweep.Samples
  found: sweep.Found
  budgets: tuple[int, ...]
  searched: sweep.Values
  chosen: sweep.Values
  by_fold: tuple[sweep.Values, ...]
  few: int

  def held(self, held: slice) -> sweep.Values:
    """Those of `by_fold` whose fold holds out these samples."""
    folds = [mine for _, mine in difficulty.FOLDS]
    return self.by_fold[folds.index(held)]


def sizes(budgets: Sequence[int], few: int, most: int) -> list[int]:
  """The budgets, and what `few` samples leave of each, up to `most`."""
  both = {*budgets, *(n - few for n in budgets)}
  return sorted(n for n in both if 1 <= n <= most)


def measure(
  samples: sweep.Samples,
  found: sweep.Found,
  budgets: Sequence[int],
  *,
  few: int = FEW,
  seed: int = 0,
  draws: int = 1000,
) -> Measurements:
  """Values of a scored pool and of searches.

  Args:
    samples: the pool.
    found: searches of the same questions.
    budgets: of choices among the samples, each at most the pool's.
    few: samples that an estimate of difficulty may take first.
    seed: of random subsets.
    draws: of them, for each question.

  Raises:
    InputError: a search lacks questions, or a score is NaN.
  """
  most = min(samples.correct[:, held].shape[1] for _, held in difficulty.FOLDS)
  return Measurements(
    samples=samples,
    found=found,
    budgets=tuple(budgets),
    searched=sweep.search_values(found, samples.question_ids),
    chosen=sweep.choice_values(samples, budgets, seed=seed, draws=draws),
    by_fold=tuple(
      sweep.choice_values(
        samples, sizes(budgets, few, most), held=held, seed=seed, draws=draws
      )
      for _, held in difficulty.FOLDS
    ),
    few=few,
  )


def load(
  path: str | os.PathLike[str],
  scored: scored_pool.ScoredPool,
  prompt_length: np.ndarray,
  budgets: Sequence[int],
  *,
  seed: int = 0,
) -> Measurements:
  """Those of a run's folder.

  Args:
    path: of the run.
    scored: its pool with scores.
    prompt_length: [Q] int, tokens.
    budgets: of choices among the samples.
    seed: of random subsets.
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
  return measure(samples, searches.load_searches(path), budgets, seed=seed)
