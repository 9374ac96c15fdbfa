"""How alike two estimates order the questions: Spearman's rank correlation."""

import chex
import numpy as np

from tts_jax.scaling import intervals

# A variance below this share of its greatest is that of a constant.
_FLAT = 1e-12


def correlation(
  a: np.ndarray, b: np.ndarray, *, seed: int = 0, draws: int = 1000
) -> intervals.Interval:
  """Spearman's correlation, equal values sharing their mean rank.

  Ranks are taken anew in each resampling, so the interval is that of the whole
  statistic.

  Args:
    a: [Q] float, or [F, Q] of F folds, whose correlations are averaged.
    b: as `a`, of the same questions.
    seed: of the resampling.
    draws: resamplings.

  Returns:
    An interval of shape []; 0 where an estimate says the same of all questions.

  Raises:
    InputError: no questions.
  """
  chex.assert_equal_shape([a, b])
  folds = list(zip(np.atleast_2d(a), np.atleast_2d(b), strict=True))

  def statistic(weights: np.ndarray) -> np.ndarray:
    return np.mean([_correlation(*one, weights) for one in folds], axis=0)

  return intervals.bootstrap_of(
    statistic, folds[0][0].shape[0], seed=seed, draws=draws
  )


def _correlation(
  a: np.ndarray, b: np.ndarray, weights: np.ndarray
) -> np.ndarray:
  """[B], of [Q] values that weigh [B, Q]."""
  total = weights.sum(1, keepdims=True)
  first, second = (_ranks(one, weights) / total for one in (a, b))
  first -= (weights * first).sum(1, keepdims=True) / total
  second -= (weights * second).sum(1, keepdims=True) / total
  spread = (weights * first**2).sum(1) * (weights * second**2).sum(1)
  varied = spread > _FLAT
  product = (weights * first * second).sum(1)
  return np.where(varied, product / np.sqrt(np.where(varied, spread, 1)), 0.0)


def _ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
  """[B, Q]: mean rank of each value where it stands `weights` [B, Q] times."""
  distinct, group = np.unique(values, return_inverse=True)
  member = group[:, None] == np.arange(len(distinct))
  counts = weights @ member.astype(np.float64)
  rank = np.cumsum(counts, 1) - counts / 2
  return rank[:, group]
