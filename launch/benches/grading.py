"""Grading: pairs of answers that forms settle, and pairs that take algebra."""

import time
from collections.abc import Callable, Iterator, Sequence

import ml_collections

from launch import throughput, turns
from tts_jax.tasks import grading

Pair = tuple[str, str | None]


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """A line of each, of distinct pairs, since no pair is compared twice.

  `compile` is what starting the processes of algebra takes.
  """
  repeats = config.repeats
  for name, make in (("forms", form), ("algebra", algebra)):
    size = config.grading[name]
    batches = [
      [make(turn * size + index) for index in range(size)]
      for turn in range(repeats + 1)
    ]
    with grading.Grader() as grader:
      took = turns.take({name: _grading(grader, batches)}, repeats)[name]
      verdicts = {one.value: count for one, count in grader.counts.items()}
    rate = throughput.spread(size / took.seconds)
    yield throughput.Line(
      name=f"{size:,} pairs by {name}",
      seconds=took.seconds,
      compile=took.compile,
      own={"answers_per_second": rate, "verdicts": verdicts},
      note=f"{rate['median']:,.0f} answers/s",
    )


def form(index: int) -> Pair:
  """A number, and another or the same in another form."""
  same = f"{index:,}.0"
  return str(index), same if index % 2 else str(index + 1)


def algebra(index: int) -> Pair:
  """An expression, and an equal one that has another form."""
  n = index // 2 + 2
  if index % 2:
    return rf"{n}\sqrt{{2}}", rf"\sqrt{{{2 * n * n}}}"
  return f"(x+{n})^2", f"x^2+{2 * n}x+{n * n}"


def _grading(
  grader: grading.Grader, batches: Sequence[Sequence[Pair]]
) -> Callable[[], float]:
  """A way that grades the next batch."""
  following = iter(batches)

  def turn() -> float:
    pairs = next(following)
    start = time.perf_counter()
    grader.grade_all(pairs)
    return time.perf_counter() - start

  return turn
