"""Searches from end to end, each beside plain sampling in as many rows."""

from collections.abc import Iterator
from typing import Any

import jax
import ml_collections
import numpy as np

from launch import generation, judges, pooling, searchers, throughput, turns
from launch.benches import sampling, searched, streams
from tts_jax.decode import pools
from tts_jax.search import setup, state


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """A line of sampling, then one a strategy, of the model of `experiment`.

  All have `config.search.candidates` rows a question, as many questions at a
  time as `experiment.search.rows` have room for, and the questions of
  `experiment`.
  Methods that at this size are one strategy share a line.
  `ratio_to_sampling` is of seconds a token generated, over turns that
  alternate with those of sampling.
  """
  wanted, rows = config.experiment, config.search.candidates
  task, questions = pooling.find_questions(wanted)
  model = generation.load_generator(wanted, task)
  judge = judges.load(wanted, model)
  asked = [pools.request(one, task, model.tokenizer) for one in questions]
  groups = max(1, wanted.search.rows // rows)
  sized = streams.sized(wanted, groups, rows, samples=rows)
  plain, told = sampling.way(model, sized, asked), False
  compared = searched.ways(config.search, wanted, model, judge)
  for names, head, judge, strategy in compared:
    loaded: Any = model, judge, wanted, task, strategy
    search = streams.Stream(searchers.engine(*loaded)(0), asked, _searched)
    ways: dict[str, turns.Way] = {"sampling": plain, "search": search}
    took = turns.take(ways, config.repeats)
    if not told:
      told = True
      yield sampling.line(model, sized, plain, took["sampling"])
    ratio = _per_token(search, took["search"])
    ratio = ratio / _per_token(plain, took["sampling"])
    weights = setup.Weights(
      lm=model.params, verifier=getattr(judge, "params", {})
    )
    shapes = jax.eval_shape(
      lambda weights, loaded=loaded: state.init_state(
        weights,
        setup=searchers.plan(*loaded),
        groups=groups,
        prompt_tokens=wanted.limits.prompt_tokens,
      ),
      weights,
    )
    yield search.line(
      ", ".join(names) + head,
      took["search"],
      shapes,
      own={
        "methods": names,
        "rows": rows,
        "ratio_to_sampling": throughput.spread(ratio),
      },
      note=f"{np.median(ratio):.2f} x sampling",
    )


def _per_token(way: streams.Stream, took: turns.Times) -> np.ndarray:
  """[repeats] seconds."""
  return took.seconds / way.spent("generated")


def _searched(result: Any) -> Any:
  return result.search.cost
