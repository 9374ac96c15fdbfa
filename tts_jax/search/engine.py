"""A search put together once: its state, its loop, and what compiles them."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import chex

from tts_jax.decode import engine as decode_engine
from tts_jax.decode import stream as decode_stream
from tts_jax.model import placement
from tts_jax.search import loop, state, stream
from tts_jax.search import setup as setups

Search = Callable[[Iterable[decode_stream.Request]], Iterator[stream.Result]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Programs:
  """What a search runs, compiled, on the mesh of its parameters.

  Attributes:
    setup: the search, as it is on the mesh.
    placed: the state without questions.
    admit: `state.admit` with its setup; the state is donated.
    chunk: as `loop.search_chunk` with its settings; the state is donated.
    collect: `stream.collect_group` with its setup.
  """

  setup: setups.Setup
  placed: placement.Placed
  admit: Any
  chunk: Any
  collect: Any


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
  run = programs(
    weights,
    setup,
    rows=rows,
    prompt_tokens=prompt_tokens,
    steps=steps,
    compiler=compiler,
  )

  def begin(key: chex.PRNGKey) -> Search:
    def search(
      requests: Iterable[decode_stream.Request],
    ) -> Iterator[stream.Result]:
      return stream.stream(
        weights,
        run.placed.begin(),
        requests,
        key,
        admit=run.admit,
        chunk=run.chunk,
        collect=run.collect,
        prompt_tokens=prompt_tokens,
      )

    return search

  return begin


def programs(
  weights: setups.Weights,
  setup: setups.Setup,
  *,
  rows: int,
  prompt_tokens: int,
  steps: int,
  compiler: decode_engine.Compile,
  chunk: Callable[..., Any] = loop.search_chunk,
) -> Programs:
  """What `make` runs; of weights only shapes and shardings are looked at.

  The arguments are those of `make`, and `chunk`, which passes over the rows.
  """
  groups = max(1, rows // setup.rounds.n)
  shards = placement.shards(weights, groups)
  setup = dataclasses.replace(setup, shards=shards)
  begin = functools.partial(
    state.init_state,
    weights,
    setup=setup,
    groups=groups,
    prompt_tokens=prompt_tokens,
  )
  placed = placement.Placed.of(begin, weights, compiler)
  fixed: Any = dict(steps=steps, setup=setup)
  return Programs(
    setup=setup,
    placed=placed,
    admit=placed.keeps(functools.partial(state.admit, setup=setup)),
    chunk=placed.keeps(functools.partial(chunk, **fixed), told=1),
    collect=compiler(functools.partial(stream.collect_group, setup=setup)),
  )
