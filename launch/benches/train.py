"""Steps of training: the language model, the verifier, and both jointly."""

import functools
from collections.abc import Iterator
from typing import Any

import ml_collections

from launch import generation, pooling, throughput, turns
from launch.benches import lm_steps, verifier_steps

# What differs from `config.train.verifier`.
_FROZEN: dict[str, Any] = {"objective.language_weight": 0.0}
_JOINT: dict[str, Any] = {"objective.language_weight": 1.0}
_NO_BLOCKS: dict[str, Any] = {
  "head.layers": 0,
  "head.predicts": False,
  "objective.opinion_weight": 0.0,
}


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """Lines of `config.train`, of the model of `experiment` and real lengths.

  The language model at the shape that it is trained at; then, turn by turn, at
  the shape of the verifier's batches: it, the verifier on its frozen states,
  and both jointly, with the verifier's head and with one that reads the final
  states without blocks of its own. `ratio_to_language_model` is of steps, and
  `ratio_a_token` of seconds a token, since batches are not packed alike.
  """
  wanted, sizes = config.experiment, config.train
  task, questions = pooling.find_questions(wanted)
  model = generation.load_generator(wanted, task)
  loaded = model, task, questions
  lm = functools.partial(lm_steps.make, *loaded, count=sizes.steps)
  alone = lm(**sizes.language_model)
  took = turns.take({"alone": alone}, config.repeats)
  yield alone.line("language model", took["alone"])
  no_blocks = _JOINT | _NO_BLOCKS | {"head.tap": model.lm.config.layers}
  same = f"language model, {sizes.verifier.data.length} a row"
  ways = {same: lm(**sizes.verifier.data, microbatches=1)}
  for name, changes in (
    ("verifier, frozen", _FROZEN),
    ("joint", _JOINT),
    ("joint, no blocks in the head", no_blocks),
  ):
    changed = sizes.verifier.copy_and_resolve_references()
    changed.update_from_flattened_dict(changes)
    made = verifier_steps.make(changed, *loaded, count=sizes.steps)
    ways[name] = made
  took = turns.take(ways, config.repeats)
  beside = ways[same].line(same, took[same])
  for name, one in ways.items():
    yield one.line(name, took[name], beside)
