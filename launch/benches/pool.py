"""A pool of many samples of many questions: how busy rows are."""

from collections.abc import Iterator

import ml_collections
import numpy as np

from launch import generation, pooling, throughput, turns
from launch.benches import sampling
from tts_jax.decode import pools


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """A line of one turn, `experiment.samples` of each of its questions.

  `compile` is of a turn of one question before it, less another.
  """
  wanted = config.experiment.copy_and_resolve_references()
  wanted.questions.count = config.pool.questions
  wanted.samples = config.pool.samples
  task, questions = pooling.find_questions(wanted)
  model = generation.load_generator(wanted, task)
  asked = [pools.request(one, task, model.tokenizer) for one in questions]
  way = sampling.way(model, wanted, asked)
  way.asked = asked[:1]
  warm = turns.take({"one": way}, 1)["one"]
  way.asked = asked
  took = turns.Times(np.array([way()]), warm.compile)
  yield sampling.line(model, wanted, way, took)
