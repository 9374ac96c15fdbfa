"""What shorter numbers cost: time, bytes, and right answers."""

import dataclasses
from collections.abc import Iterator, Sequence

import ml_collections
import numpy as np

from launch import generation, pooling, throughput, turns
from launch.benches import sampling, streams
from tts_jax.decode import pools
from tts_jax.scaling import intervals
from tts_jax.tasks import base


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """A line of one turn for each of `config.precisions.ways`.

  By the same draws; the share of samples that are right is compared with that
  of the first of the ways, question by question.
  """
  wanted = config.experiment.copy_and_resolve_references()
  wanted.questions.count = config.precisions.questions
  wanted.samples = config.precisions.samples
  task, questions = pooling.find_questions(wanted)
  first: np.ndarray | None = None
  for dtype, held in config.precisions.ways:
    wanted.dtype, wanted.int8 = dtype, held
    name = f"{dtype}, 8 bits: {held}" if held else dtype
    model = generation.load_generator(wanted, task)
    asked = [pools.request(one, task, model.tokenizer) for one in questions]
    way = sampling.way(model, wanted, asked[:1])
    compiled = turns.take({name: way}, 1)[name].compile
    way.asked = asked
    took = turns.Times(np.array([way()]), compiled)
    right = _right(way, questions, task, model)
    first = right if first is None else first
    gain = intervals.paired_difference(right, first, seed=config.seed)
    one = sampling.line(model, wanted, way, took)
    told = gain.summary()
    yield dataclasses.replace(
      one,
      name=name,
      own={
        **one.own,
        "dtype": dtype,
        "int8": held,
        "pass_at_1": float(right.mean()),
        "more_right_than_first": told,
      },
      note=f"right {right.mean():.2%}, {told['mean']:+.2%}"
      f" [{told['low']:+.2%}, {told['high']:+.2%}]",
    )


def _right(
  way: streams.Stream,
  questions: Sequence[base.Question],
  task: base.Task,
  model: generation.Generator,
) -> np.ndarray:
  """[Q], the share of each question's samples that are right."""
  found = np.zeros(len(questions))
  for one in way.results:
    asked, drawn = questions[one.index], one.candidates
    texts = [
      model.tokenizer.decode(row[:length].tolist())
      for row, length in zip(drawn.tokens, drawn.length, strict=True)
    ]
    pairs = [
      (asked.answer, task.extract(text) if done else None)
      for text, done in zip(texts, drawn.finished, strict=True)
    ]
    verdicts = task.grade_all(pairs)
    right = [verdict is base.Verdict.CORRECT for verdict in verdicts]
    found[one.index] = np.mean(right)
  return found
