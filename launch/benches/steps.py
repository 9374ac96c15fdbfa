"""Steps of training on batches that are ready, as a way of `turns.take`."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from launch import ceilings, throughput, training, turns
from tts_jax.train import step as step_lib

# Its values do not change how long a step takes.
OPTIMIZER: Any = {"learning_rate": 1e-4, "steps": 1000}

Batches = Callable[[int], Iterator[tuple[int, Any]]]


class Steps:
  """A few steps, one after another, each on its batch.

  Attributes:
    tokens: of a turn, padding not counted.
    packing: share of the batches' places that hold a token.
    flops: of a turn.
  """

  def __init__(
    self,
    made: training.Compiled,
    state: step_lib.TrainState,
    stream: Batches,
    count: int,
    per_token: Callable[[float], float],
  ) -> None:
    """Makes `count` batches of a stream.

    The state is used up; `per_token` is from the tokens that a token attends
    to, on average, to its FLOPs.
    """
    self._step = made.step
    self._state = jax.device_put(state, made.copies)
    self._batches = [batch for _, batch in itertools.islice(stream(0), count)]
    filled = np.stack([batch.segments for batch in self._batches]) > 0
    positions = np.stack([batch.positions for batch in self._batches])
    self.tokens = int(filled.sum())
    self.packing = float(filled.mean())
    self.flops = self.tokens * per_token(float(positions[filled].mean()) + 1)

  def __call__(self) -> float:
    """Takes the steps; the seconds that it took."""
    start = time.perf_counter()
    for batch in self._batches:
      self._state, _ = self._step(self._state, batch)
    jax.block_until_ready(self._state.params)
    return time.perf_counter() - start

  def line(
    self, name: str, took: turns.Times, lm: throughput.Line | None = None
  ) -> throughput.Line:
    """The line of these turns; `lm` is of as many others, of this shape."""
    rows, length = self._batches[0].tokens.shape
    peak = ceilings.measure("float32").flops_per_second
    note, step, token = f"packed {self.packing:.0%}", None, None
    if lm is not None and lm.tokens is not None:
      step = float(np.median(took.seconds) / np.median(lm.seconds))
      token = step * lm.tokens / self.tokens
      note += f", {step:.2f} x language model, {token:.2f} x a token"
    return throughput.Line(
      name=name,
      seconds=took.seconds,
      compile=took.compile,
      tokens=self.tokens,
      floor=self.flops / peak,
      own={
        "rows": rows,
        "length": length,
        "packing": self.packing,
        "flops_per_token": self.flops / self.tokens,
        "ratio_to_language_model": step,
        "ratio_a_token": token,
      },
      note=note,
    )
