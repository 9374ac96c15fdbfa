"""Questions through an engine that is compiled once, from end to end."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import ml_collections
import numpy as np

from launch import kv_cache, throughput, turns
from tts_jax import types
from tts_jax.decode import stream

Engine = Callable[[Iterable[stream.Request]], Iterator[Any]]


class Stream:
  """A way of `turns.take`.

  Attributes:
    asked: the questions.
    results: of the latest turn.
  """

  def __init__(
    self,
    engine: Engine,
    asked: Sequence[stream.Request],
    cost: Callable[[Any], types.Cost],
  ) -> None:
    """Takes an engine, its questions, and what a result says that it cost."""
    self._engine, self._cost = engine, cost
    self.asked = asked
    self.results: list[Any] = []

  def __call__(self) -> float:
    """Answers all questions; the seconds that it took."""
    start = time.perf_counter()
    self.results = list(self._engine(self.asked))
    return time.perf_counter() - start

  @property
  def stats(self) -> stream.Stats:
    """Of the latest turn."""
    found: stream.Stats = self.results[-1].stats
    return found

  def spent(self, *names: str) -> int:
    """Tokens of the latest turn, of these fields of `types.Cost`."""
    costs = [self._cost(result) for result in self.results]
    return sum(int(getattr(cost, name)) for cost in costs for name in names)

  def line(
    self, name: str, took: turns.Times, state: Any, **fields: Any
  ) -> throughput.Line:
    """The line of these turns; `state` has the shapes of the engine's."""
    made = self.spent("generated")
    read = self.spent("generated", "lookahead", "prefilled", "scored")
    own = {
      "questions": len(self.asked),
      "seconds_per_question": float(np.median(took.seconds)) / len(self.asked),
      "tokens_generated": made,
      "passes": self.stats.steps,
    }
    return throughput.Line(
      name=name,
      seconds=took.seconds,
      compile=took.compile,
      tokens=made,
      utilisation=self.stats.utilisation,
      kv_bytes=sum(kv_cache.sizes(state)),
      forwarded=read / made,
      own=own | fields.pop("own", {}),
      **fields,
    )


def sized(
  config: ml_collections.ConfigDict, groups: int, rows: int, samples: int
) -> ml_collections.ConfigDict:
  """The config with an engine of these sizes."""
  found = config.copy_and_resolve_references()
  found.engine.update(groups=groups, rows=rows)
  found.samples = samples
  return found
