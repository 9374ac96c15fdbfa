"""The decode loop of a config, to be compiled from shapes alone."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections

from launch import eight_bit, known_shapes, lowering
from tts_jax import sharding, types
from tts_jax.decode import engine, loop, sampling
from tts_jax.model import config as config_lib
from tts_jax.model import embedded, transformer
from tts_jax.scaling import roofline


def model(config: ml_collections.ConfigDict) -> transformer.Transformer:
  """The config's model: of its own shapes, or of a folder's or a known one."""
  if isinstance(config.model, ml_collections.ConfigDict):
    given = config.model.to_dict()
    if "tokenizer" in config:
      given["vocabulary"] = config.tokenizer.vocabulary
    return transformer.Transformer(config_lib.TransformerConfig(**given))
  folder = embedded.folder(config.model, config.task)
  lm = known_shapes.model(folder, config.dtype)
  return eight_bit.shaped(lm, config.get("int8", ""))


def jobs(
  config: ml_collections.ConfigDict,
  lm: transformer.Transformer,
  params: types.Params,
  beside: Any = None,
) -> Iterator[lowering.Job]:
  """`admit` and the decode step, as the engine that samples compiles them."""
  room, tokens = _sizes(config)
  run = engine.programs(
    params,
    lm,
    sampler=sampling.make(**config.get("sampler", {})),
    limits=loop.Limits(max_tokens=tokens, end_token=0),
    compiler=jax.jit,
    **room,
  )
  state = run.placed.shapes()
  held: Any = dict(caches=(state.prompt_state, state.rows), beside=beside)
  number = jax.ShapeDtypeStruct((), jnp.int32)
  prompt = loop.prompt_shapes(1, room["prompt_tokens"])
  args: Any = params, state, number, prompt, number
  yield lowering.Job(name="prefill", program=run.admit, args=args, **held)
  groups, rows = state.active.shape
  # Of a step at its dearest: every slot of every row is live.
  held["work"] = roofline.Decoding(
    cfg=lm.config,
    questions=groups,
    rows=rows,
    prompt=room["prompt_tokens"],
    suffix=tokens,
  )
  mesh = sharding.mesh_of(params)
  assert mesh is not None, "what compiles for a topology has a mesh"
  args = params, state, lowering.key_shape(mesh)
  yield lowering.Job(name="decode", program=run.chunk, args=args, **held)


def _sizes(config: ml_collections.ConfigDict) -> tuple[dict[str, int], int]:
  """Of the engine, a bench's largest, and the tokens of a sample."""
  if "decode" in config:
    groups, rows, prompt = max(config.decode, key=lambda one: one[0] * one[1])
    room = {"samples": rows, "prompt_tokens": prompt, "steps": config.tokens}
    return {"groups": groups, "rows": rows, **room}, config.tokens
  room = {name: config.engine[name] for name in ("groups", "rows", "steps")}
  room["prompt_tokens"] = config.limits.prompt_tokens
  return {"samples": config.samples, **room}, config.limits.max_tokens
