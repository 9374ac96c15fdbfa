"""The passes of a published verifier over growing solutions, compiled.

`incremental` says what is read; here are the caches of G questions with N
solutions each, and the functions that carry them.
"""

import dataclasses
import functools
from typing import Any

import chex
import jax
import jax.numpy as jnp

from tts_jax import types
from tts_jax.model import cache, placement, transformer
from tts_jax.verify import published


@dataclasses.dataclass(frozen=True)
class Static:
  """What of a verifier is no array: its backbone, and its head."""

  lm: transformer.Transformer
  probability: published.Probability


@dataclasses.dataclass(frozen=True, kw_only=True)
class Programs:
  """What `incremental.Reader` runs, compiled, on its parameters' mesh.

  Attributes:
    rows: the cache of solutions, empty.
    prompts: that of questions, empty.
    admit: from (prompts, backbone's parameters, group, tokens [1, P], length)
      to the prompts with a question read; they are donated.
    extend: from (rows, parameters, prompts, and [G, N] tokens of the question
      that rows see, live slots of rows, tokens [G, N, T], and how many of them
      count) to the rows with the tokens read, and [G, N, T] probabilities; the
      rows are donated.
    copy: `cache.copy_rows`; the rows are donated.
  """

  rows: placement.Placed
  prompts: placement.Placed
  admit: Any
  extend: Any
  copy: Any


def programs(
  params: types.Params,
  prm: Static,
  *,
  groups: int,
  rows: int,
  prompt_tokens: int,
  row_tokens: int,
  compiler: placement.Compile,
) -> Programs:
  """Of parameters only shapes and shardings are looked at."""
  solutions = placement.Placed.of(
    functools.partial(prm.lm.init_rows, groups, rows, row_tokens),
    params,
    compiler,
  )
  prompts = placement.Placed.of(
    functools.partial(_no_prompts, prm.lm, groups, rows, prompt_tokens),
    params,
    compiler,
  )
  admit, extend = (
    functools.partial(function, prm=prm) for function in (_admit, _extend)
  )
  return Programs(
    rows=solutions,
    prompts=prompts,
    admit=prompts.keeps(admit, argument=0),
    extend=solutions.keeps(extend, argument=0, told=1),
    copy=solutions.keeps(
      functools.partial(
        cache.copy_rows, shards=placement.shards(params, groups)
      ),
      argument=0,
    ),
  )


def _no_prompts(
  lm: transformer.Transformer, groups: int, rows: int, prompt_tokens: int
) -> cache.PromptState:
  shape = lm.config
  lead = (groups, shape.kv_heads)

  def zeros(*tail: int) -> tuple[chex.Array, ...]:
    return tuple(
      jnp.zeros((*lead, *tail), shape.attends_in) for _ in range(shape.layers)
    )

  return cache.PromptState(
    keys=zeros(shape.head_width, prompt_tokens),
    values=zeros(prompt_tokens, shape.head_width),
    length=jnp.zeros((groups, rows), jnp.int32),
  )


def _admit(
  state: cache.PromptState,
  params: types.Params,
  group: chex.Array,
  tokens: chex.Array,  # [1, P]
  length: chex.Array,
  *,
  prm: Static,
) -> cache.PromptState:
  """Puts a question's keys and values in a group's place."""
  uid = jnp.zeros(1, jnp.uint32)
  prompt = types.Prompts(tokens=tokens, length=length[None], uid=uid)
  _, one = prm.lm.prefill(params, prompt)

  def put(whole: chex.Array, part: chex.Array) -> chex.Array:
    return jax.lax.dynamic_update_slice_in_dim(
      whole, part.astype(whole.dtype), group, axis=0
    )

  return cache.PromptState(
    keys=jax.tree.map(put, state.keys, one.keys),
    values=jax.tree.map(put, state.values, one.values),
    length=state.length,
  )


def _extend(
  rows: cache.RowCache,
  params: types.Params,
  state: cache.PromptState,
  shared: chex.Array,
  length: chex.Array,
  tokens: chex.Array,
  count: chex.Array,
  *,
  prm: Static,
) -> tuple[cache.RowCache, chex.Array]:
  """Reads tokens [G, N, T] behind `length` of each row: [G, N, T] scores."""
  rows = cache.truncate(rows, length)
  prompt = cache.PromptState(
    keys=state.keys, values=state.values, length=shared
  )
  output, rows = prm.lm.extend_rows(
    params["backbone"], prompt, rows, tokens, count
  )
  return rows, prm.probability(params["head"], output.hidden)
