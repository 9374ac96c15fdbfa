"""A run's compute-optimal policies as folds, to set against a larger model."""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from tts_jax import errors, storage
from tts_jax.scaling import (
  compute_optimal,
  difficulty,
  estimates,
  exchange_summary,
  measured,
  policy_summary,
)
from tts_jax.store import manifest, pool, run


def of_policies(
  table: measured.Table,
  estimate: estimates.Estimate,
  budgets: Sequence[int],
  *,
  bins: int = difficulty.BINS,
  splits: int = 100,
  seed: int = 0,
) -> dict[str, list[exchange_summary.Fold]]:
  """Cross-validated policies of each family, a fold of the pool at a time.

  Args:
    table: of what was measured.
    estimate: of difficulty, which places the questions.
    budgets: in generations, rising.
    bins: how many.
    splits: random halvings of each bin.
    seed: of these.

  Returns:
    {family: folds}, families as `policy_summary.families` has them: each fold's
    bins, and values from the samples that did not place the question, at the
    budgets that some strategy of the family spends.

  Raises:
    InputError: as `compute_optimal.evaluate`.
  """
  found: dict[str, list[exchange_summary.Fold]] = {}
  kinds = policy_summary.families(list(dict.fromkeys(table.names)))
  for family, names in kinds.items():
    mine = table.only(names)
    # A policy may leave some of its budget unspent: beyond the dearest strategy
    # of the family it was not measured.
    most = mine.generations.mean(0).max()
    measured_to = [n for n in budgets if n <= most]
    found[family] = []
    for fold in range(len(estimate.value)):
      one = slice(fold, fold + 1)
      placed = dataclasses.replace(estimate, value=estimate.value[one])
      outcome = compute_optimal.evaluate(
        dataclasses.replace(mine, value=mine.value[one]),
        placed,
        measured_to,
        bins=bins,
        splits=splits,
        seed=seed,
      )
      values = dict(zip(measured_to, outcome.value.T, strict=True))
      (where,) = placed.bins(bins)
      found[family].append(exchange_summary.Fold(bins=where, values=values))
  return found


def larger(
  path: str | os.PathLike[str], question_ids: Sequence[str]
) -> np.ndarray:
  """[Q] float64: how right a larger model is on a run's questions.

  Args:
    path: of its run of `launch.sample`.
    question_ids: Q, of the run that it is compared with.

  Raises:
    InputError: there is no such run; it did not answer greedily, or not all of
      the questions.
  """
  config = manifest.read_config(storage.at(path) / run.CONFIG_FILE)
  temperature = config.get("sampler", {}).get("temperature")
  if temperature != 0:
    raise errors.InputError(
      f"{path}: its temperature is {temperature}; a larger model answers"
      " greedily, with --config.sampler.temperature=0"
    )
  found = pool.load_pool(path)
  right = dict(zip(found.question_ids, found.correct[:, 0], strict=True))
  lacking = [one for one in question_ids if one not in right]
  if lacking:
    raise errors.InputError(
      f"{path}: the larger model has no answer to {len(lacking)} of"
      f" {len(question_ids)} questions, the first of them {lacking[0]!r};"
      " sample it on the same questions"
    )
  return np.array([right[one] for one in question_ids], np.float64)
