"""Expectations over subsets of a pool, as results are told."""

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import ml_collections
import numpy as np

from launch import throughput
from tts_jax.scaling import choices, estimators, summary


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """A line an estimate, at all powers of two, of a pool that is made up.

  Its answers are spread as a power law: some often, many once.
  """
  questions, samples = config.estimates.questions, config.estimates.samples
  rng, ks = np.random.default_rng(config.seed), summary.budgets(samples)
  shape = questions, samples
  answers = np.minimum(rng.zipf(1.5, shape), samples).astype(np.int32)
  # Of each question some answer is right, mostly a frequent one.
  correct = answers == rng.geometric(0.5, (questions, 1))
  score = rng.uniform(size=shape)
  ways: dict[str, Callable[[], Any]] = {
    "pass@k": functools.partial(estimators.pass_at_k, correct, ks),
    "majority@k": functools.partial(
      estimators.majority_at_k, answers, correct, ks
    ),
    "best-of-k": functools.partial(choices.best_of_n_at_k, score, correct, ks),
    "best-of-k weighted": functools.partial(
      choices.weighted_at_k, answers, correct, score, ks
    ),
  }
  for name, estimate in ways.items():
    yield throughput.Line(
      name=f"{name}, {questions} x {samples}",
      seconds=np.array([_seconds(estimate)]),
      compile=0.0,
      own={"questions": questions, "samples": samples, "budgets": ks},
    )


def _seconds(estimate: Callable[[], Any]) -> float:
  start = time.perf_counter()
  estimate()
  return time.perf_counter() - start
