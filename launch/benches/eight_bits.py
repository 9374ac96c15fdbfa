"""What 8 bits cost: time, bytes, and right answers."""

import dataclasses
from collections.abc import Iterator, Sequence

import ml_collections
import numpy as np

from launch import eight_bit, generation, pooling, throughput, turns
from launch.benches import sampling, streams
from tts_jax.decode import pools
from tts_jax.scaling import intervals
from tts_jax.tasks import base


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """A line of one turn for each of `config.eight_bits.ways`.

  By the same draws; the share of samples that are right is compared with that
  of the first of the ways, question by question.
  """
  wanted = config.experiment.copy_and_resolve_references()
  wanted.questions.count = config.eight_bits.questions
  wanted.samples = config.eight_bits.samples
  task, questions = pooling.find_questions(wanted)
  model = generation.load_generator(wanted, task)
  asked = [pools.request(one, task, model.tokenizer) for one in questions]
  first: np.ndarray | None = None
  for what in config.eight_bits.ways:
    lm, params = eight_bit.held(model.lm, model.params, what)
    held = dataclasses.replace(model, lm=lm, params=params)
    way = sampling.way(held, wanted, asked[:1])
    compiled = turns.take({what: way}, 1)[what].compile
    way.asked = asked
    took = turns.Times(np.array([way()]), compiled)
    right = _right(way, questions, task, held)
    first = right if first is None else first
    gain = intervals.paired_difference(right, first, seed=config.seed)
    one = sampling.line(held, wanted, way, took)
    told = gain.summary()
    yield dataclasses.replace(
      one,
      name=f"8 bits: {what or 'nothing'}",
      own={
        **one.own,
        "int8": what,
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
