"""The sampler in plain loops of numpy, and a short way to run the real one."""

import functools

import jax
import numpy as np

from tts_jax.decode import lineage, loop, stream


def token_of(logits, uniform, temperature=1.0, top_p=1.0):
  """The token that inverting the cumulative distribution gives, in float64."""
  logits = np.asarray(logits, np.float64)
  weight = np.exp((logits - logits.max()) / temperature)
  weight /= weight.sum()
  mass = 0.0
  for token in np.argsort(-weight, kind="stable"):
    mass += weight[token]
    if mass >= top_p:
      weight[weight < weight[token]] = 0.0
      break
  goal = uniform * weight.sum()
  mass = 0.0
  for token, share in enumerate(weight):
    mass += share
    if share > 0 and mass > goal:
      return token
  return int(np.flatnonzero(weight)[-1])


def sample(table, request, key, *, samples, limits, temperature=1.0, top_p=1.0):
  """Tokens, length, finished, logprobs of a question under a bigram table."""
  T = limits.max_tokens
  tokens = np.zeros((samples, T), np.int32)
  logprob = np.zeros((samples, T), np.float32)
  length = np.zeros(samples, np.int32)
  finished = np.zeros(samples, bool)
  for i in range(samples):
    previous = request.tokens[-1]
    for t in range(T):
      uniform = float(lineage.uniform(key, request.uid, i, t))
      logits = np.asarray(table[previous], np.float64)
      previous = token_of(logits, uniform, temperature, top_p)
      tokens[i, t] = previous
      logprob[i, t] = logits[previous] - np.log(np.exp(logits).sum())
      length[i] = t + 1
      if previous in limits.end_tokens:
        finished[i] = True
        break
  return tokens, length, finished, logprob


def compiled(
  lm, params, *, sampler, limits, steps=16, watch=lambda function: function
):
  """A function from requests, key and sizes to a stream of results.

  It compiles once, however often it is called; `watch` wraps what is compiled.
  """

  def chunk(params, state, key):
    return loop.decode_chunk(
      params, state, key, lm=lm, sampler=sampler, limits=limits, steps=steps
    )

  def admit(params, state, group, prompt, samples, starts=None):
    return loop.admit(params, state, group, prompt, samples, starts, lm=lm)

  chunk, admit = (
    jax.jit(watch(function), donate_argnums=1) for function in (chunk, admit)
  )

  def run(requests, key, samples, *, groups, rows, room, prompt_tokens):
    state = loop.init_state(
      params,
      lm=lm,
      limits=limits,
      groups=groups,
      rows=rows,
      samples=room,
      prompt_tokens=prompt_tokens,
    )
    return stream.stream(
      params,
      state,
      requests,
      key,
      admit=admit,
      chunk=chunk,
      samples=samples,
      prompt_tokens=prompt_tokens,
    )

  return run


def engine(lm, params, *, groups, rows, room, prompt_tokens=8, **settings):
  """`compiled` for one shape: from requests, key and samples to results."""
  return functools.partial(
    compiled(lm, params, **settings),
    groups=groups,
    rows=rows,
    room=room,
    prompt_tokens=prompt_tokens,
  )


def by_id(results):
  """Results under the id of their question."""
  return {result.request.id: result for result in results}


def requests(count, vocabulary, *, longest=8, seed=0):
  """Questions with prompts of random tokens and of every length."""
  random = np.random.default_rng(seed)
  return [
    stream.Request(
      id=f"q{i}",
      uid=int(random.integers(2**32)),
      tokens=random.integers(1, vocabulary, 1 + i % longest).tolist(),
    )
    for i in range(count)
  ]
