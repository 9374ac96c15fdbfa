"""Sampling put together once: its state, its loop, and what compiles them."""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import chex
import jax

from tts_jax import types
from tts_jax.decode import loop, sampling, stream

# Compiles a function: as `jax.jit`, which the caller hands in.
Compile = Callable[..., Any]


def make(
  params: types.Params,
  lm: types.LanguageModel,
  key: chex.PRNGKey,
  *,
  sampler: sampling.Sampler,
  limits: loop.Limits,
  groups: int,
  rows: int,
  samples: int,
  prompt_tokens: int,
  steps: int,
  compiler: Compile,
  room: int | None = None,
) -> Callable[[Iterable[stream.Request]], Iterator[stream.Result]]:
  """What samples questions, as often as it is called; compiled once.

  Args:
    params: of the model.
    lm: the model.
    key: of all draws.
    sampler: draws tokens.
    limits: of a completion.
    groups: G, questions at a time.
    rows: R, that work on each, at most.
    samples: N, of each request or of each of its branches.
    prompt_tokens: P, the longest prompt.
    steps: between looks at what is done.
    compiler: `jax.jit`.
    room: samples of all of a request's branches; None: `samples`.

  Raises:
    InputError: a size is below 1.
  """
  static: Any = dict(lm=lm, sampler=sampler, limits=limits, steps=steps)
  admit = compiler(functools.partial(loop.admit, lm=lm), donate_argnums=1)
  chunk = compiler(
    functools.partial(loop.decode_chunk, **static), donate_argnums=1
  )
  begin = functools.partial(
    loop.init_state,
    params,
    lm=lm,
    limits=limits,
    groups=groups,
    # A row beyond a question's samples would be put through idle.
    rows=min(rows, max(room or samples, 1)),
    samples=room or samples,
    prompt_tokens=prompt_tokens,
  )
  jax.eval_shape(begin)  # Refuses sizes now, not at the first question.

  def sample(requests: Iterable[stream.Request]) -> Iterator[stream.Result]:
    return stream.stream(
      params,
      begin(),
      requests,
      key,
      admit=admit,
      chunk=chunk,
      samples=samples,
      prompt_tokens=prompt_tokens,
    )

  return sample
