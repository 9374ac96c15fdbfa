"""The numbers of searches against a verifier, for `summary.json`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tts_jax import types
from tts_jax.model import config
from tts_jax.scaling import contrasts, flops, measurements, sweep

# What the paper's claims come down to.
_COMPARED = (
  (("beam_4", 16), ("best_of_n_weighted", 64)),
  (("beam_sqrt", 16), ("best_of_n_weighted", 64)),
  *((("beam_4", n), ("best_of_n_weighted", n)) for n in (4, 16, 64, 256)),
  *((("beam_sqrt", n), ("best_of_n_weighted", n)) for n in (4, 16, 64, 256)),
  *((("best_of_n_weighted", n), ("majority", n)) for n in (4, 16, 64, 256)),
)


def count_flops(
  model: config.TransformerConfig, judge: flops.Network
) -> Callable[[types.Cost, np.ndarray, bool], np.ndarray]:
  """FLOPs of a ledger, for `sweep.ledger`.

  Args:
    model: the generator.
    judge: what a verifier adds to each token; one with a backbone of its own
      reads with it whatever the model reads.
  """
  network = flops.transformer(model)

  def count(cost: types.Cost, context: np.ndarray, judged: bool) -> np.ndarray:
    return flops.flops(
      cost, network, verifier=judge if judged else None, context=context
    )

  return count


def of_choices(
  made: measurements.Measurements, *, seed: int = 0
) -> dict[str, Any]:
  """What needs no ledger, and of which no searches need be there.

  Args:
    made: of a scored pool, and of searches where there are any.
    seed: of the resampling.

  Returns:
    `curves`, `curves_by_bin` and `comparisons`, as `scaling.sweep` has them,
    and `curves_by_predicted_bin`, in bins that scores place.
  """
  both = made.chosen | made.searched
  bins = {
    name: sweep.curves_by_bin(
      made.samples,
      made.searched,
      made.budgets,
      predicted=predicted,
      choose=made.held,
      seed=seed,
    )
    for name, predicted in (
      ("curves_by_bin", False),
      ("curves_by_predicted_bin", True),
    )
  }
  return {
    "curves": sweep.curves(both, seed),
    **bins,
    "comparisons": sweep.comparisons(both, _COMPARED),
  }


def summarise(
  made: measurements.Measurements,
  count: Callable[[types.Cost, np.ndarray, bool], np.ndarray],
  *,
  seed: int = 0,
) -> dict[str, Any]:
  """Tells of a run's searches, beside choices among its pool's samples.

  Args:
    made: of a scored pool and searches.
    count: FLOPs of a ledger.
    seed: of the resampling.

  Returns:
    What `of_choices` has; `ledger`, as `scaling.sweep` has it; and `contrasts`,
    as `contrasts.summarise`.
  """
  return {
    **of_choices(made, seed=seed),
    "ledger": sweep.ledger(made.found, made.samples, made.budgets, count),
    "contrasts": contrasts.summarise(made, seed=seed),
  }
