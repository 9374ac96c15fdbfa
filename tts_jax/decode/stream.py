"""The host's side of decoding: a stream of questions through a few groups.

The library never compiles: the launcher does, once for each function and run.

    static = dict(lm=lm, sampler=sampler, limits=limits, steps=128)
    admit = jax.jit(functools.partial(loop.admit, lm=lm), donate_argnums=1)
    chunk = jax.jit(
      functools.partial(loop.decode_chunk, **static), donate_argnums=1
    )
    state = loop.init_state(params, lm=lm, limits=limits, groups=4, rows=32,
                            samples=64, prompt_tokens=128)
    for result in stream.stream(
      params, state, questions, key, admit=admit, chunk=chunk, samples=64,
      prompt_tokens=128,
    ):
      write(result.request.id, result.candidates)
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

import chex
import jax
import numpy as np

from tts_jax import errors, types
from tts_jax.decode import loop

# (params, state, group, prompt, samples) -> state, as `loop.admit`.
Admit = Callable[
  [types.Params, loop.DecodeState, chex.Array, types.Prompts, chex.Array],
  loop.DecodeState,
]
# (params, state, key) -> (state, usage), as `loop.decode_chunk`.
Chunk = Callable[
  [types.Params, loop.DecodeState, chex.PRNGKey],
  tuple[loop.DecodeState, loop.Usage],
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
  """A question to be sampled.

  Attributes:
    id: the question's, for messages and results.
    uid: 32 bits, stable; it seeds the question's randomness.
    tokens: the prompt.
  """

  id: str
  uid: int
  tokens: Sequence[int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stats:
  """Work done since the stream began.

  Attributes:
    prefilled: prompt tokens read.
    steps: passes of the model over all rows.
    row_steps: rows active in them, summed: tokens generated.
    slots: rows in them, summed, active or not.
  """

  prefilled: int = 0
  steps: int = 0
  row_steps: int = 0
  slots: int = 0

  @property
  def generated(self) -> int:
    """Tokens generated; each took one row through one pass."""
    return self.row_steps

  @property
  def utilisation(self) -> float:
    """Share of the rows put through the model that made a token."""
    return self.row_steps / max(self.slots, 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
  """A question's samples, whole.

  Attributes:
    index: the question's place in the stream, from 0.
    request: the question.
    candidates: numpy arrays without the question's axis: tokens [N, T], length
      [N], finished [N], token_logprob [N, T].
    stats: of the whole stream up to here.
  """

  index: int
  request: Request
  candidates: types.Candidates
  stats: Stats


def stream(
  params: types.Params,
  state: loop.DecodeState,
  requests: Iterable[Request],
  key: chex.PRNGKey,
  *,
  admit: Admit,
  chunk: Chunk,
  samples: int,
  prompt_tokens: int,
) -> Iterator[Result]:
  """Samples every question, yielding each as soon as it is whole.

  Questions are pulled as groups fall free, and come back in the order in which
  they end. Of the samples nothing depends on that order, nor on G and R but for
  rounding.

  Args:
    params: the model's.
    state: as `loop.init_state` gives it; used up where `admit` donates it.
    requests: the questions.
    key: the run's key.
    admit: `loop.admit` with its model, compiled.
    chunk: `loop.decode_chunk` with its settings, compiled.
    samples: N, for each question; at most that of `state`.
    prompt_tokens: P of `state`.

  Raises:
    errors.InputError: a prompt is empty or longer than P, or `samples` does not
      fit; questions done by then have been yielded.
  """
  groups, room = state.candidates.length.shape
  if not 1 <= samples <= room:
    raise errors.InputError(
      f"samples is {samples}; it must be from 1 to {room}, which is what the "
      "decode state has room for"
    )
  slots = state.active.size
  source = enumerate(requests)
  free = list(range(groups))
  busy: dict[int, tuple[int, Request]] = {}
  stats = Stats()
  while True:
    while free and (following := next(source, None)):
      group = free.pop(0)
      prompts = prompt(following[1], prompt_tokens)
      # Put there by name: a launcher may forbid silent transfers.
      arguments = jax.device_put((np.int32(group), prompts, np.int32(samples)))
      state = admit(params, state, *arguments)
      busy[group] = following
      stats = dataclasses.replace(
        stats, prefilled=stats.prefilled + len(following[1].tokens) - 1
      )
    if not busy:
      return
    state, usage = chunk(params, state, key)
    usage, active = jax.device_get((usage, state.active))
    stats = dataclasses.replace(
      stats,
      steps=stats.steps + int(usage.steps),
      row_steps=stats.row_steps + int(usage.row_steps),
      slots=stats.slots + int(usage.steps) * slots,
    )
    for group in [group for group in busy if not active[group].any()]:
      index, request = busy.pop(group)
      free.append(group)
      yield Result(
        index=index,
        request=request,
        candidates=_candidates(state, group, samples),
        stats=stats,
      )


def prompt(request: Request, prompt_tokens: int) -> types.Prompts:
  """The question as a batch of one, [1, P]."""
  length = len(request.tokens)
  if not 1 <= length <= prompt_tokens:
    raise errors.InputError(
      f"question {request.id}: the prompt has {length} tokens; it must have "
      f"from 1 to {prompt_tokens}"
    )
  tokens = np.zeros((1, prompt_tokens), np.int32)
  tokens[0, :length] = request.tokens
  return types.Prompts(
    tokens=tokens,
    length=np.array([length], np.int32),
    uid=np.array([request.uid], np.uint32),
  )


def _candidates(
  state: loop.DecodeState, group: int, samples: int
) -> types.Candidates:
  """One group's samples, as numpy arrays of their own."""
  index = jax.device_put(np.int32(group))
  mine = jax.tree.map(
    lambda whole: jax.lax.dynamic_index_in_dim(
      whole, index, axis=0, keepdims=False
    ),
    state.candidates,
  )
  return jax.tree.map(lambda leaf: leaf[:samples], jax.device_get(mine))
