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
from typing import Any

import chex
import jax
import numpy as np

from tts_jax import errors, hosts, types
from tts_jax.decode import loop

# (params, state, group, prompt, samples) -> state, as `loop.admit`; `starts`
# comes last, for requests with branches alone.
Admit = Callable[..., loop.DecodeState]
# (params, state, key) -> (state, usage), as `loop.decode_chunk`.
Chunk = Callable[
  [types.Params, loop.DecodeState, chex.PRNGKey],
  tuple[loop.DecodeState, loop.Usage],
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Branch:
  """A prefix of a prompt, to be sampled as a prompt of its own would be.

  Attributes:
    length: its tokens, from 1 to all of the prompt's.
    uid: 32 bits, stable; it seeds the samples that begin here.
    max_tokens: of each of them, from 1 to the limit of the decode state.
  """

  length: int
  uid: int
  max_tokens: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
  """A question to be sampled.

  Attributes:
    id: the question's, for messages and results.
    uid: 32 bits, stable; it seeds the question's randomness.
    tokens: the prompt.
    branches: prefixes of it to sample from, which share its prefill. Empty:
      the prompt itself is sampled.
    text: the question without any prompt, for verifiers that read text.
  """

  id: str
  uid: int
  tokens: Sequence[int]
  branches: Sequence[Branch] = ()
  text: str = ""


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
      [N], finished [N], token_logprob [N, T]. Of a request with branches: the
      samples of the first, then those of the second, and so on.
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
    samples: N, for each question, or for each of its branches; all of a
      question's together at most N of `state`.
    prompt_tokens: P of `state`.

  Raises:
    errors.InputError: a prompt is empty or longer than P, a branch is not
      inside its prompt or limits, `samples` does not fit, or the model says
      NaN; questions done by then have been yielded.
  """
  room = state.candidates.length.shape[1]
  if not 1 <= samples <= room:
    raise errors.InputError(
      f"samples is {samples}; it must be from 1 to {room}, which is what the "
      "decode state has room for"
    )

  def put(
    state: loop.DecodeState, group: int, request: Request
  ) -> loop.DecodeState:
    prompts = prompt(request, prompt_tokens)
    begin = _starts(request, samples, state.candidates.tokens.shape)
    # Put there by name: a launcher may forbid silent transfers.
    arguments = jax.device_put((np.int32(group), prompts, *begin))
    return admit(params, state, *arguments)

  def take(
    state: loop.DecodeState, group: int, request: Request
  ) -> types.Candidates:
    found = _candidates(state, group, _wanted(request, samples))
    check(found, request.id)
    return found

  for index, request, candidates, stats in exchange(
    state,
    requests,
    rows=state.active.shape,
    put=put,
    chunk=lambda state: chunk(params, state, key),
    working=lambda state: state.active,
    take=take,
  ):
    yield Result(
      index=index, request=request, candidates=candidates, stats=stats
    )


def exchange(
  state: Any,
  requests: Iterable[Request],
  *,
  rows: tuple[int, int],
  put: Callable[[Any, int, Request], Any],
  chunk: Callable[[Any], tuple[Any, loop.Usage]],
  working: Callable[[Any], chex.Array],
  take: Callable[[Any, int, Request], Any],
) -> Iterator[tuple[int, Request, Any, Stats]]:
  """Keeps groups at work: what sampling and search share.

  Args:
    state: of all groups, without questions.
    requests: the questions.
    rows: (G, rows of a group).
    put: from (state, group, question) to the state with it in the group.
    chunk: from a state to a later one, and what that took.
    working: from a state to [G, ...] bool, true anywhere in a group whose
      question is not done.
    take: from (state, group, question) to what was found.

  Yields:
    (index, question, what was found, what the stream did so far).
  """
  groups, row_count = rows
  source = enumerate(requests)
  free = list(range(groups))
  busy: dict[int, tuple[int, Request]] = {}
  stats = Stats()
  while True:
    while free and (following := next(source, None)):
      group = free.pop(0)
      state = put(state, group, following[1])
      busy[group] = following
      stats = dataclasses.replace(
        stats, prefilled=stats.prefilled + len(following[1].tokens) - 1
      )
    if not busy:
      return
    state, usage = chunk(state)
    usage, at_work = hosts.whole((usage, working(state)))
    stats = dataclasses.replace(
      stats,
      steps=stats.steps + int(usage.steps),
      row_steps=stats.row_steps + int(usage.row_steps),
      slots=stats.slots + int(usage.steps) * groups * row_count,
    )
    for group in [group for group in busy if not at_work[group].any()]:
      index, request = busy.pop(group)
      free.append(group)
      yield index, request, take(state, group, request), stats


def check(candidates: types.Candidates, id_: str) -> None:
  """Checks that every token was drawn by numbers.

  Args:
    candidates: numpy arrays, [N, T].
    id_: of the question, for the message.

  Raises:
    errors.InputError: the log-probability of a token is NaN, as it is where the
      logits that the token was drawn from hold one.
  """
  place = np.arange(candidates.token_logprob.shape[-1])
  drawn = place < np.asarray(candidates.length)[:, None]
  wrong = np.argwhere(np.isnan(candidates.token_logprob) & drawn)
  if len(wrong):
    row, token = wrong[0].tolist()
    raise errors.InputError(
      f"question {id_}: the model's log-probability of token {token} of sample"
      f" {row} is NaN; its parameters are broken, or too large for their type"
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


def _wanted(request: Request, samples: int) -> int:
  """How many samples of a request there are in all."""
  return samples * max(len(request.branches), 1)


def _starts(
  request: Request, samples: int, shape: tuple[int, ...]
) -> tuple[np.int32] | tuple[np.int32, loop.Starts]:
  """The last arguments of `admit`; `shape` is [G, N, T] of the state."""
  _, room, limit = shape
  wanted = _wanted(request, samples)
  if wanted > room:
    raise errors.InputError(
      f"question {request.id}: {len(request.branches)} branches of {samples}"
      f" samples are {wanted}; the decode state has room for {room}"
    )
  if not request.branches:
    return (np.int32(wanted),)
  for branch in request.branches:
    for name, most in (("length", len(request.tokens)), ("max_tokens", limit)):
      if not 1 <= getattr(branch, name) <= most:
        raise errors.InputError(
          f"question {request.id}: a branch has {name} {getattr(branch, name)};"
          f" it must be from 1 to {most}"
        )

  def column(values: Iterable[int], dtype: type[np.generic]) -> np.ndarray:
    whole = np.ones(room, dtype)
    whole[:wanted] = np.repeat(np.fromiter(values, dtype), samples)
    return whole

  return np.int32(wanted), loop.Starts(
    length=column((each.length for each in request.branches), np.int32),
    max_tokens=column((each.max_tokens for each in request.branches), np.int32),
    uid=column((each.uid for each in request.branches), np.uint32),
    number=np.arange(room, dtype=np.int32) % samples,
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
  return jax.tree.map(lambda leaf: leaf[:samples], hosts.whole(mine))
