"""The host's side of search: a stream of questions through a few groups.

The library never compiles: the launcher does, once for each function and setup.

    search = setup.Setup(lm=lm, verifier=verifier, strategy=..., ...)
    admit = jax.jit(
      functools.partial(state.admit, setup=search), donate_argnums=1
    )
    chunk = jax.jit(
      functools.partial(loop.search_chunk, setup=search, steps=128),
      donate_argnums=1,
    )
    collect = jax.jit(functools.partial(stream.collect_group, setup=search))
    start = state.init_state(weights, setup=search, groups=4, prompt_tokens=128)
    for result in stream.stream(
      weights, start, questions, key, admit=admit, chunk=chunk,
      collect=collect, prompt_tokens=128,
    ):
      write(result.request.id, result.search)
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

import chex
import jax
import numpy as np

from tts_jax import hosts, types
from tts_jax.decode import loop as decode_loop
from tts_jax.decode import stream as decode_stream
from tts_jax.search import collect as collecting
from tts_jax.search import results
from tts_jax.search import setup as setups
from tts_jax.search import state as states

# (weights, state, group, prompt) -> state, as `state.admit`.
Admit = Callable[
  [setups.Weights, states.SearchState, chex.Array, types.Prompts],
  states.SearchState,
]
# (weights, state, key) -> (state, usage), as `loop.search_chunk`.
Chunk = Callable[
  [setups.Weights, states.SearchState, chex.PRNGKey],
  tuple[states.SearchState, decode_loop.Usage],
]
# (state, group) -> result, as `collect_group`.
Collect = Callable[[states.SearchState, chex.Array], results.SearchResult]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
  """A question's search, done.

  Attributes:
    index: the question's place in the stream, from 0.
    request: the question.
    search: numpy arrays without the question's axis.
    stats: of the whole stream up to here. A token rolled ahead counts as one
      generated.
  """

  index: int
  request: decode_stream.Request
  search: results.SearchResult
  stats: decode_stream.Stats


def stream(
  weights: setups.Weights,
  state: states.SearchState,
  requests: Iterable[decode_stream.Request],
  key: chex.PRNGKey,
  *,
  admit: Admit,
  chunk: Chunk,
  collect: Collect,
  prompt_tokens: int,
  admitted: Callable[[int, decode_stream.Request], None] | None = None,
  scored: Callable[[int], int] | None = None,
) -> Iterator[Result]:
  """Searches every question, yielding each as soon as it is done.

  Questions are pulled as groups fall free, and come back in the order in which
  they end. Of the results nothing depends on that order, nor on G but for
  rounding.

  Args:
    weights: of the models.
    state: as `state.init_state` gives it; used up where `admit` donates it.
    requests: the questions.
    key: the run's key.
    admit: `state.admit` with its setup, compiled.
    chunk: `loop.search_chunk` with its setup, compiled.
    collect: `collect_group` with its setup, compiled.
    prompt_tokens: P of `state`.
    admitted: told of each question and the group that it enters.
    scored: from a group to the tokens that a verifier outside of the loop has
      read for its question; None: there is no such verifier.

  Raises:
    errors.InputError: a prompt is empty or longer than P, or a score is NaN;
      questions done by then have been yielded.
  """

  def put(
    state: states.SearchState, group: int, request: decode_stream.Request
  ) -> states.SearchState:
    prompt = decode_stream.prompt(request, prompt_tokens)
    if admitted is not None:
      admitted(group, request)
    # Put there by name: a launcher may forbid silent transfers.
    return admit(weights, state, *jax.device_put((np.int32(group), prompt)))

  def take(
    state: states.SearchState, group: int, request: decode_stream.Request
  ) -> results.SearchResult:
    found = hosts.whole(collect(state, jax.device_put(np.int32(group))))
    results.check(found, [request.id])
    one = jax.tree.map(lambda leaf: leaf[0], found)
    if scored is None:
      return one
    cost = dataclasses.replace(one.cost, scored=np.int32(scored(group)))
    return dataclasses.replace(one, cost=cost)

  for index, request, found, stats in decode_stream.exchange(
    state,
    requests,
    rows=state.progress.alive.shape,
    put=put,
    chunk=lambda state: chunk(weights, state, key),
    working=lambda state: state.progress.working,
    take=take,
  ):
    yield Result(index=index, request=request, search=found, stats=stats)


def collect_group(
  state: states.SearchState, group: chex.Array, *, setup: setups.Setup
) -> results.SearchResult:
  """The result of one group, [1, ...]; `group` is [] int32."""
  question, progress = jax.tree.map(
    lambda whole: jax.lax.dynamic_slice_in_dim(whole, group, 1, axis=0),
    (state.question, state.progress),
  )
  return collecting.collect(question, progress, setup=setup)
