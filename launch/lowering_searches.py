"""A search by a published verifier, to be compiled from shapes alone."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections

from launch import lowering, planning
from tts_jax import sharding, types
from tts_jax.decode import loop, sampling
from tts_jax.model import transformer
from tts_jax.search import outside, setup, strategies
from tts_jax.verify import reading

# Tokens of each row that the verifier reads in a pass.
_TOKENS = 64


def jobs(
  config: ml_collections.ConfigDict,
  lm: transformer.Transformer,
  params: types.Params,
  prm: reading.Static,
  prm_params: types.Params,
) -> Iterator[lowering.Job]:
  """A round of the largest search: its draws, its end, and its verifier's."""
  cell = max(planning.cells(config), key=lambda one: one.budget)
  one = setup.Setup(
    lm=lm,
    verifier=outside.Unread(),
    strategy=strategies.BY_NAME[cell.method](cell.budget),
    sampler=sampling.make(**config.sampler),
    limits=loop.Limits(max_tokens=config.limits.max_tokens, end_token=0),
    delimiters=frozenset({0}),
  )
  weights = setup.Weights(lm=params, verifier={})
  room: Any = dict(rows=config.search.rows, steps=config.search.steps)
  room["prompt_tokens"] = config.limits.prompt_tokens
  run, close = outside.programs(weights, one, compiler=jax.jit, **room)
  state = run.placed.shapes()
  groups, rows = state.progress.alive.shape
  room = {"groups": groups, "rows": rows, "compiler": jax.jit}
  room["prompt_tokens"] = config.prm.prompt_tokens
  room["row_tokens"] = config.prm.row_tokens
  read = reading.programs(prm_params, prm, **room)
  held, prompts = read.rows.shapes(), read.prompts.shapes()

  def of(*shape: int, dtype: Any = jnp.int32) -> Any:
    return jax.ShapeDtypeStruct((groups, rows, *shape), dtype)

  mine = state.question.prompt_state, state.caches[0]
  mesh = sharding.mesh_of(params)
  assert mesh is not None, "what compiles for a topology has a mesh"
  key, scores = lowering.key_shape(mesh), of(dtype=jnp.float32)
  layout = of(), of(), of(_TOKENS), of()
  args: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "draw": (run.chunk, (weights, state, key)),
    "close": (close, (state, scores, of(dtype=bool))),
    "verify": (read.extend, (held, prm_params, prompts, *layout)),
    "follow": (read.copy, (held, of())),
  }
  every = {
    "params": params,
    "state": state,
    "prm": prm_params,
    "held": held,
    "prompts": prompts,
  }
  used = {
    "draw": ("params", "state"),
    "close": ("state",),
    "verify": ("prm", "held", "prompts"),
    "follow": ("held",),
  }
  for name, (program, given) in args.items():
    yield lowering.Job(
      name=name,
      program=program,
      args=given,
      caches=mine if "state" in used[name] else (held, prompts),
      beside=[one for what, one in every.items() if what not in used[name]],
    )
