"""Timed decoding: prefill and steps apart, on the engine that samples."""

import functools
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tts_jax import types
from tts_jax.decode import loop, sampling
from tts_jax.model import transformer


class Timed(NamedTuple):
  """Seconds of one shape: [repeats] of each but `compile`, once of both."""

  prefill: np.ndarray
  decode: np.ndarray
  compile: float


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
    jax.block_until_ready(chunk(params, state, key))
    times.append((middle - start, time.perf_counter() - middle))
  later = np.array(times[1:])
  compiling = sum(times[0]) - float(np.median(later.sum(1)))
  return Timed(later[:, 0], later[:, 1], compiling)


def drawn(lm: transformer.Transformer, seed: int) -> types.Params:
  """Random parameters, in the dtype that the model computes in."""
  params = jax.jit(lm.init)(jax.random.key(seed))
  return jax.tree.map(lambda leaf: leaf.astype(lm.config.dtype), params)
