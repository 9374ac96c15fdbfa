"""Chains put together once: their state, their loop, and what compiles them."""

import functools
from collections.abc import Callable, Iterable, Iterator

import chex
import jax

from tts_jax import types
from tts_jax.decode import engine as decode_engine
from tts_jax.decode import stream as decode_stream
from tts_jax.model import placement
from tts_jax.revise import chains, stream
from tts_jax.revise import state as states

Revise = Callable[[Iterable[decode_stream.Request]], Iterator[stream.Result]]


def make(
  params: types.Params,
  setup: states.Setup,
  key: chex.PRNGKey,
  *,
  groups: int,
  rows: int,
  prompt_tokens: int,
  steps: int,
  compiler: decode_engine.Compile,
) -> Revise:
  """What runs questions' chains, as often as it is called; compiled once.

  Args:
    params: of the revision model.
    setup: the chains.
    key: of all draws.
    groups: G, questions at a time where each has `rows` chains or more.
    rows: R, that work on each, at most.
    prompt_tokens: P, the longest prompt.
    steps: between looks at what is done.
    compiler: `jax.jit`.

  Raises:
    InputError: a size is below 1.
  """
  # No more than the longest chain leaves to do, lest the others wait for it.
  plan = setup.plan
  each = min(rows, plan.answers // max(plan.lengths))
  begin = functools.partial(
    states.init_state,
    params,
    setup=setup,
    # As many rows in all, where a question has fewer chains than rows.
    groups=max(1, groups * rows // max(each, 1)),
    rows=each,
    prompt_tokens=prompt_tokens,
  )
  jax.eval_shape(begin)  # Refuses sizes now, not at the first question.
  placed = placement.Placed.of(begin, params, compiler)
  admit = placed.keeps(functools.partial(states.admit, setup=setup))
  fixed = functools.partial(chains.chain_chunk, steps=steps, setup=setup)
  chunk = placed.keeps(fixed, told=1)

  def revise(
    requests: Iterable[decode_stream.Request],
  ) -> Iterator[stream.Result]:
    return stream.run(
      params,
      placed.begin(),
      requests,
      key,
      admit=admit,
      chunk=chunk,
      prompt_tokens=prompt_tokens,
    )

  return revise
