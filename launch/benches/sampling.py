"""Plain sampling of questions, from end to end."""

import functools
from collections.abc import Sequence

import jax
import ml_collections
import numpy as np

from launch import ceilings, generation, throughput, turns
from launch.benches import streams
from tts_jax import types
from tts_jax.decode import loop, stream
from tts_jax.scaling import roofline


def way(
  model: generation.Generator,
  config: ml_collections.ConfigDict,
  asked: Sequence[stream.Request],
) -> streams.Stream:
  """`config.samples` plain samples of each question."""
  engine = generation.engine(
    model,
    config,
    samples=config.samples,
    prompt_tokens=config.limits.prompt_tokens,
  )
  return streams.Stream(engine, asked, _sampled)


def line(
  model: generation.Generator,
  config: ml_collections.ConfigDict,
  way: streams.Stream,
  took: turns.Times,
) -> throughput.Line:
  """The line of turns of `sampling`, with the floor under its passes."""
  sizes = config.samples, config.limits.prompt_tokens
  state = shapes(model, config, *sizes)
  machine = ceilings.measure(model.lm.config.dtype)
  prompt = np.mean([len(one.tokens) for one in way.asked])
  samples = config.samples * len(way.asked)
  work = roofline.Decoding(
    cfg=model.lm.config,
    questions=config.engine.groups,
    rows=state.token.shape[1],
    prompt=float(prompt),
    suffix=way.spent("generated") / samples / 2,
  )
  return way.line(
    "sampling",
    took,
    state,
    floor=way.stats.steps * work.floor(machine),
    own={"samples": config.samples},
  )


def shapes(
  model: generation.Generator,
  config: ml_collections.ConfigDict,
  samples: int,
  prompt_tokens: int,
) -> loop.DecodeState:
  """Those of the state of `generation.engine` with room for `samples`."""
  begin = functools.partial(
    loop.init_state,
    lm=model.lm,
    limits=model.limits(config.limits.max_tokens),
    groups=config.engine.groups,
    rows=min(config.engine.rows, samples),
    samples=samples,
    prompt_tokens=prompt_tokens,
  )
  found: loop.DecodeState = jax.eval_shape(begin, model.params)
  return found


def _sampled(result: stream.Result) -> types.Cost:
  nothing = np.int32(0)
  return types.Cost(
    generated=result.candidates.length.sum(),
    pruned=nothing,
    lookahead=nothing,
    prefilled=np.int32(len(result.request.tokens) - 1),
    scored=nothing,
  )
