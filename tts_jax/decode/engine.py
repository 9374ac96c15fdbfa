"""Sampling put together once: its state, its loop, and what compiles them."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import chex
import jax

from tts_jax import types
from tts_jax.decode import loop, sampling, stream
from tts_jax.model import placement

Compile = placement.Compile


@dataclasses.dataclass(frozen=True, kw_only=True)
class Programs:
  """What sampling runs, compiled, on the mesh of its parameters.

  Attributes:
    placed: the state without questions.
    admit: `loop.admit` with its model; the state is donated.
    chunk: `loop.decode_chunk` with its settings; the state is donated.
  """

  placed: placement.Placed
  admit: Any
  chunk: Any


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
  run = programs(
    params,
    lm,
    sampler=sampler,
    limits=limits,
    groups=groups,
    rows=rows,
    samples=room or samples,
    prompt_tokens=prompt_tokens,
    steps=steps,
    compiler=compiler,
  )

  def sample(requests: Iterable[stream.Request]) -> Iterator[stream.Result]:
    return stream.stream(
      params,
      run.placed.begin(),
      requests,
      key,
      admit=run.admit,
      chunk=run.chunk,
      samples=samples,
      prompt_tokens=prompt_tokens,
    )

  return sample


def programs(
  params: types.Params,
  lm: types.LanguageModel,
  *,
  sampler: sampling.Sampler,
  limits: loop.Limits,
  groups: int,
  rows: int,
  samples: int,
  prompt_tokens: int,
  steps: int,
  compiler: Compile,
) -> Programs:
  """What `make` runs; of parameters only shapes and shardings are looked at.

  The arguments are those of `make`, but for `samples`: of all of a request's
  branches.

  Raises:
    InputError: a size is below 1.
  """
  static: Any = dict(lm=lm, sampler=sampler, limits=limits, steps=steps)
  begin = functools.partial(
    loop.init_state,
    params,
    lm=lm,
    limits=limits,
    groups=groups,
    # A row beyond a question's samples would be put through idle.
    rows=min(rows, max(samples, 1)),
    samples=samples,
    prompt_tokens=prompt_tokens,
  )
  jax.eval_shape(begin)  # Refuses sizes now, not at the first question.
  placed = placement.Placed.of(begin, params, compiler)
  return Programs(
    placed=placed,
    admit=placed.keeps(functools.partial(loop.admit, lm=lm)),
    chunk=placed.keeps(functools.partial(loop.decode_chunk, **static), told=1),
  )
