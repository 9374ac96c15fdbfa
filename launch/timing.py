"""Timed decoding: prefill and steps apart, on the engine that samples."""

import functools
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from launch import kv_cache, turns
from tts_jax import types
from tts_jax.decode import loop, sampling
from tts_jax.model import config as config_lib
from tts_jax.model import int8, transformer


class Timed(NamedTuple):
  """One shape: its two parts, what they did, and the room that they had."""

  prefill: turns.Times
  decode: turns.Times
  usage: loop.Usage
  kv: kv_cache.Sizes


def decoding(
  lm: transformer.Transformer,
  params: types.Params,
  shape: tuple[int, int, int],
  *,
  tokens: int,
  repeats: int,
  seed: int,
) -> Timed:
  """Times samples of one length, none of which ends before.

  Args:
    lm: the model.
    params: its parameters, on the device.
    shape: questions, rows of each, tokens of a prompt.
    tokens: of each sample; as many steps are taken.
    repeats: of each figure.
    seed: of prompts and draws.
  """
  questions, rows, prompt = shape
  # No token is the end.
  limits = loop.Limits(max_tokens=tokens, end_token=lm.vocabulary)
  fixed: Any = dict(lm=lm, sampler=sampling.Categorical(), limits=limits)
  jit = functools.partial(jax.jit, donate_argnums=1)
  admit = jit(functools.partial(loop.admit, lm=lm))
  chunk = jit(functools.partial(loop.decode_chunk, **fixed, steps=tokens))
  sizes: Any = dict(groups=questions, rows=rows, samples=rows)
  sizes |= {"lm": lm, "limits": limits, "prompt_tokens": prompt}
  rng, key = np.random.default_rng(seed), jax.random.key(seed)
  texts = rng.integers(0, lm.vocabulary, (questions, 1, prompt))
  given = [
    types.Prompts(
      tokens=jnp.asarray(text, jnp.int32),
      length=jnp.array([prompt], jnp.int32),
      uid=jnp.array([index], jnp.uint32),
    )
    for index, text in enumerate(texts)
  ]
  times: list[tuple[float, float]] = []
  for _ in range(repeats + 1):
    state = jax.block_until_ready(loop.init_state(params, **sizes))
    start = time.perf_counter()
    for index, one in enumerate(given):
      state = admit(params, state, jnp.int32(index), one, jnp.int32(rows))
    jax.block_until_ready(state)
    middle = time.perf_counter()
    state, usage = jax.block_until_ready(chunk(params, state, key))
    times.append((middle - start, time.perf_counter() - middle))
  prefill, decode = (turns.of(part) for part in zip(*times, strict=True))
  return Timed(prefill, decode, usage, kv_cache.sizes(state))


def model(
  config: ml_collections.ConfigDict, dtype: str = ""
) -> tuple[transformer.Transformer, types.Params]:
  """That of the config's shape, of random weights, in its dtype or this one."""
  shape = config.model.to_dict() | ({"dtype": dtype} if dtype else {})
  cfg = config_lib.TransformerConfig(**shape)
  lm = transformer.Transformer(config_lib.suited(cfg, jax.default_backend()))
  params = jax.jit(lm.init)(jax.random.key(config.seed))
  params = jax.tree.map(lambda leaf: leaf.astype(lm.config.dtype), params)
  held = jax.jit(int8.parameters)(params) if lm.config.weight_dtype else params
  return lm, held
