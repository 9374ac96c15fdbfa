"""A search put together once: its state, its loop, and what compiles them."""

import functools
from collections.abc import Callable, Iterable, Iterator

import chex

from tts_jax.decode import engine as decode_engine
from tts_jax.decode import stream as decode_stream
from tts_jax.search import loop, state, stream
from tts_jax.search import setup as setups

Search = Callable[[Iterable[decode_stream.Request]], Iterator[stream.Result]]


def make(
  weights: setups.Weights,
  setup: setups.Setup,
  *,
  rows: int,
  prompt_tokens: int,
  steps: int,
  compiler: decode_engine.Compile,
) -> Callable[[chex.PRNGKey], Search]:
  """From a key to what searches, as often as it is called; compiled once.

  Args:
    weights: of the models.
    setup: the search.
    rows: at a time over all questions; one question's at least.
    prompt_tokens: P, the longest prompt.
    steps: between looks at what is done.
    compiler: `jax.jit`.
  """
  jit = functools.partial(compiler, donate_argnums=1)
  admit = jit(functools.partial(state.admit, setup=setup))
  chunk = jit(functools.partial(loop.search_chunk, steps=steps, setup=setup))
  collect = compiler(functools.partial(stream.collect_group, setup=setup))
  groups = max(1, rows // setup.rounds.n)

  def begin(key: chex.PRNGKey) -> Search:
    def search(
      requests: Iterable[decode_stream.Request],
    ) -> Iterator[stream.Result]:
      empty = state.init_state(
        weights, setup=setup, groups=groups, prompt_tokens=prompt_tokens
      )
      return stream.stream(
        weights,
        empty,
        requests,
        key,
        admit=admit,
        chunk=chunk,
        collect=collect,
        prompt_tokens=prompt_tokens,
      )

    return search

  return begin
