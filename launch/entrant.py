"""This project's engine as one of the ways that are raced."""

import time
from collections.abc import Callable, Sequence

import jax

from tts_jax import types
from tts_jax.decode import engine, loop, sampling, stream
from tts_jax.model import transformer


def ours(
  lm: transformer.Transformer,
  params: types.Params,
  prompts: Sequence[Sequence[int]],
  lengths: Sequence[int],
  rows: int,
  seed: int,
) -> Callable[[], float]:
  """What draws samples of these lengths of each prompt, and times it."""
  sample = engine.make(
    params,
    lm,
    jax.random.key(seed),
    sampler=sampling.Categorical(),
    # No token is the end: a sample is as long as it is said to be.
    limits=loop.Limits(max_tokens=max(lengths), end_token=lm.vocabulary),
    groups=len(prompts),
    rows=rows,
    samples=1,
    room=len(lengths),
    prompt_tokens=len(prompts[0]),
    steps=max(lengths),
    compiler=jax.jit,
  )

  def run() -> float:
    requests = [
      stream.Request(
        id=str(index),
        uid=index,
        tokens=prompt,
        branches=[
          stream.Branch(length=len(prompt), uid=number, max_tokens=length)
          for number, length in enumerate(lengths)
        ],
      )
      for index, prompt in enumerate(prompts)
    ]
    start = time.perf_counter()
    found = sum(int(one.candidates.length.sum()) for one in sample(requests))
    took = time.perf_counter() - start
    assert found == len(prompts) * sum(lengths), "each sample has its length"
    return took

  return run


def greedy(
  lm: transformer.Transformer,
  params: types.Params,
  prompt: Sequence[int],
  tokens: int,
) -> list[int]:
  """The most probable continuation."""
  (found,) = engine.make(
    params,
    lm,
    jax.random.key(0),
    sampler=sampling.Greedy(),
    limits=loop.Limits(max_tokens=tokens, end_token=lm.vocabulary),
    groups=1,
    rows=1,
    samples=1,
    prompt_tokens=len(prompt),
    steps=tokens,
    compiler=jax.jit,
  )([stream.Request(id="greedy", uid=0, tokens=prompt)])
  return found.candidates.tokens[0].tolist()
