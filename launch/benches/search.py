"""Searches from end to end, each beside plain sampling in as many rows."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import ml_collections
import numpy as np

from launch import generation, judges, pooling, searchers, throughput, turns
from launch.benches import sampling, streams
from tts_jax.decode import pools
from tts_jax.search import setup, state, strategies, sweep
from tts_jax.verify import reward


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """A line of sampling, then one a strategy, of the model of `experiment`.

  All have `config.search.candidates` rows a question, as many questions at a
  time as `experiment.search.rows` have room for, and the questions of
  `experiment`.
  Methods that at this size are one strategy share a line.
  `ratio_to_sampling` is of seconds a token generated, over turns that
  alternate with those of sampling. The first strategy is timed once more with
  heads of `config.search.heads` blocks on the model's final states, as they
  are drawn: a pass costs what its models cost, and these tell the loop's own
  part from the verifier's.
  """
  wanted, rows = config.experiment, config.search.candidates
  task, questions = pooling.find_questions(wanted)
  model = generation.load_generator(wanted, task)
  judge = judges.load(wanted, model)
  asked = [pools.request(one, task, model.tokenizer) for one in questions]
  groups = max(1, wanted.search.rows // rows)
  sized = streams.sized(wanted, groups, rows, samples=rows)
  plain, told = sampling.way(model, sized, asked), False
  found = strategies_of(wanted.search.methods, rows)
  compared = [(names, "", judge, one) for one, names in found.items()]
  if isinstance(judge, judges.Judge):
    one, names = next(iter(found.items()))
    compared += [
      (names[:1], f", {blocks}-block head", _headed(judge, model, blocks), one)
      for blocks in config.search.heads
    ]
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


def strategies_of(
  methods: tuple[str, ...], rows: int
) -> dict[strategies.Strategy, list[str]]:
  """Strategies of so many rows, and the methods that are each of them."""
  found: dict[strategies.Strategy, list[str]] = {}
  for name in methods:
    budget = rows * strategies.LEAST.get(name, 1)
    (cell,) = sweep.cells({name: [budget]}, seeds=1)
    found.setdefault(cell.strategy, []).append(name)
  return found


def _headed(
  judge: judges.Judge, model: generation.Generator, blocks: int
) -> judges.Judge:
  """A head of so many blocks on the model's final states, as it is drawn."""
  cfg = judge.verifier.config
  verifier = reward.above(
    model.lm,
    cfg.delimiters,
    layers=blocks,
    width=cfg.width,
    token_width=cfg.token_width,
    mlp_width=cfg.mlp_width,
    predicts=False,
  )
  params = verifier.init(jax.random.key(0))
  return dataclasses.replace(judge, verifier=verifier, params=params)


def _per_token(way: streams.Stream, took: turns.Times) -> np.ndarray:
  """[repeats] seconds."""
  return took.seconds / way.spent("generated")


def _searched(result: Any) -> Any:
  return result.search.cost
