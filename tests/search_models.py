"""Table models that make short steps, and short ways to search with them."""

import functools

import chex
import jax
import numpy as np

from tts_jax import types
from tts_jax.decode import loop as decode_loop
from tts_jax.decode import sampling
from tts_jax.model import table
from tts_jax.search import loop, methods, setup, state, stream
from tts_jax.tasks import automaton

VOCABULARY, END, DELIMITERS = 11, 0, frozenset({3, 7})
KEY = jax.random.key(7)
_random = np.random.default_rng(5)
TABLE = _random.normal(size=(VOCABULARY, VOCABULARY))
# The end comes now and then, so that some candidates reach it early.
TABLE[:, END] -= 0.6
ENTRIES = 2 * _random.normal(size=(VOCABULARY, VOCABULARY))


# What tokens stand for, where steps end with a blank line: it may be in one, or
# begin in one and end in the next.
PIECES = (
  b"",
  b"a",
  b"b\n",
  b"\n\n",
  b"\nc",
  b"d",
  b"e",
  b"\n",
  b"",
  b"f",
  b"g\n",
)
BLANK_LINES = automaton.build([b"\n\n"], PIECES)


def rows_of(array):
  return tuple(map(tuple, np.asarray(array).tolist()))


LM = table.TableModel(rows_of(TABLE))
VERIFIER = table.TableVerifier(rows_of(ENTRIES))
READER = table.TableVerifier(rows_of(ENTRIES), reads_tokens=True)


def make(strategy, *, max_tokens=14, **fields):
  """A setup of the table models."""
  return setup.Setup(
    **{
      "lm": LM,
      "verifier": VERIFIER,
      "strategy": strategy,
      "sampler": sampling.Categorical(),
      "limits": decode_loop.Limits(max_tokens=max_tokens, end_token=END),
      "delimiters": DELIMITERS,
      "trace": True,
      **fields,
    }
  )


def weights(setup_):
  key = jax.random.key(0)
  return setup.Weights(
    lm=setup_.lm.init(key), verifier=setup_.verifier.init(key)
  )


def prompts(requests, width=8):
  """Requests as one batch."""
  tokens = np.zeros((len(requests), width), np.int32)
  for row, request in zip(tokens, requests, strict=True):
    row[: len(request.tokens)] = request.tokens
  return types.Prompts(
    tokens=tokens,
    length=np.array([len(r.tokens) for r in requests], np.int32),
    uid=np.array([r.uid for r in requests], np.uint32),
  )


@functools.partial(jax.jit, static_argnums=0)
def _search(setup_, weights, prompts, key):
  fields = {name: getattr(setup_, name) for name in vars(setup_)}
  return methods.search(
    weights.lm,
    fields.pop("lm"),
    prompts,
    key,
    verifier_params=weights.verifier,
    **fields,
  )


def search(setup_, requests, key=KEY, weights_=None):
  """The result and usage of a batch, as numpy arrays."""
  return jax.device_get(
    _search(setup_, weights_ or weights(setup_), prompts(requests), key)
  )


def engine(
  setup_, *, groups, steps=16, prompt_tokens=8, watch=lambda function: function
):
  """A function from requests to the stream's results by id."""
  params = weights(setup_)

  def chunk(weights, state, key):
    return loop.search_chunk(weights, state, key, setup=setup_, steps=steps)

  def admit(weights, held, group, prompt):
    return state.admit(weights, held, group, prompt, setup=setup_)

  def collect(held, group):
    return stream.collect_group(held, group, setup=setup_)

  chunk, admit = (
    jax.jit(watch(function), donate_argnums=1) for function in (chunk, admit)
  )
  collect = jax.jit(watch(collect))

  def run(requests, key=KEY, params=params):
    start = state.init_state(
      params, setup=setup_, groups=groups, prompt_tokens=prompt_tokens
    )
    found = stream.stream(
      params,
      start,
      requests,
      key,
      admit=admit,
      chunk=chunk,
      collect=collect,
      prompt_tokens=prompt_tokens,
    )
    return {result.request.id: result for result in found}

  return run


def at(result, question):
  """A batch's result of one question."""
  return jax.tree.map(lambda leaf: leaf[question], result)


def assert_same(left, right):
  chex.assert_trees_all_equal(left, right)
