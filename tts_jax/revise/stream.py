"""The host's side of chains: a stream of questions through a few groups.

As `decode.stream`, of which it is a thin call: the launcher compiles `admit`
and `chunk`, once for each function and run.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence

import chex
import jax
import numpy as np

from tts_jax import errors, hosts, types
from tts_jax.decode import loop, stream
from tts_jax.revise import state as states
from tts_jax.tasks import tokenization

# (params, state, group, prompt) -> state, as `state.admit`.
Admit = Callable[..., states.ChainState]
# (params, state, key) -> (state, usage), as `chains.chain_chunk`.
Chunk = Callable[
  [types.Params, states.ChainState, chex.PRNGKey],
  tuple[states.ChainState, loop.Usage],
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(stream.Request):
  """A question whose chains begin with given answers.

  Attributes:
    given: tokens of each chain's first answer, the end token included; an empty
      one is written by the model.
  """

  given: Sequence[Sequence[int]] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
  """A question's chains, whole.

  Attributes:
    index: the question's place in the stream, from 0.
    request: the question.
    candidates: numpy arrays without the question's axis, [A, T]: the answers of
      the first chain, then those of the second, and so on.
    cost: the question's ledger, numbers; tokens of contexts that were read
      anew are prefilled.
    stats: of the whole stream up to here.
  """

  index: int
  request: stream.Request
  candidates: types.Candidates
  cost: types.Cost
  stats: stream.Stats


def run(
  params: types.Params,
  state: states.ChainState,
  requests: Iterable[stream.Request],
  key: chex.PRNGKey,
  *,
  admit: Admit,
  chunk: Chunk,
  prompt_tokens: int,
) -> Iterator[Result]:
  """Runs the chains of every question, yielding each as soon as it is whole.

  Of the answers nothing depends on the order, nor on G and R but for rounding;
  and the first k answers of a chain not on how long it or another chain runs.

  Args:
    params: the model's.
    state: as `state.init_state` gives it; used up where `admit` donates it.
    requests: the questions, without branches; either none or all of them with
      given answers.
    key: the run's key.
    admit: `state.admit` with its setup, compiled.
    chunk: `chains.chain_chunk` with its settings, compiled.
    prompt_tokens: P of `state`.

  Raises:
    errors.InputError: a prompt is empty or longer than P, or given answers do
      not fit, or the model says NaN; questions done by then have been yielded.
  """

  def put(
    state: states.ChainState, group: int, request: stream.Request
  ) -> states.ChainState:
    prompt = stream.prompt(request, prompt_tokens)
    given = _given(request, state)
    # Put there by name: a launcher may forbid silent transfers.
    arguments = jax.device_put((np.int32(group), prompt, *given))
    return admit(params, state, *arguments)

  def take(
    state: states.ChainState, group: int, request: stream.Request
  ) -> tuple[types.Candidates, types.Cost]:
    mine = jax.tree.map(
      functools.partial(_of_group, group), (state.candidates, state.read)
    )
    answers, read = hosts.whole(mine)
    stream.check(answers, request.id)
    given = sum(len(one) for one in getattr(request, "given", ()))
    return answers, types.Cost(
      generated=answers.length.sum() - given,
      pruned=np.int32(0),
      lookahead=np.int32(0),
      prefilled=np.int32(len(request.tokens) - 1) + read,
      scored=np.int32(0),
    )

  for index, request, (answers, cost), stats in stream.exchange(
    state,
    requests,
    rows=state.active.shape,
    put=put,
    chunk=lambda state: chunk(params, state, key),
    working=lambda state: state.active,
    take=take,
  ):
    yield Result(
      index=index,
      request=request,
      candidates=answers,
      cost=cost,
      stats=stats,
    )


def given_answer(
  text: str | None, tokenizer: tokenization.Tokenizer, most: int
) -> list[int]:
  """A solution's tokens with its end; none of one that is not to be given.

  Encoded anew it may be longer than it was: bytes that are no text were decoded
  to a sign of three.

  Args:
    text: None: there is none.
    tokenizer: of the revision model.
    most: tokens of an answer.
  """
  if text is None:
    return []
  tokens = [*tokenizer.encode(text), tokenizer.end_token]
  return tokens if len(tokens) <= most else []


def _given(
  request: stream.Request, state: states.ChainState
) -> tuple[states.Given, ...]:
  """The last argument of `admit`, if there is one."""
  if not isinstance(request, Request):
    return ()
  chains, T = state.given.shape[1], state.candidates.tokens.shape[-1]
  if len(request.given) != chains:
    raise errors.InputError(
      f"question {request.id}: {len(request.given)} answers are given for"
      f" {chains} chains"
    )
  tokens = np.zeros((chains, T), np.int32)
  for row, answer in zip(tokens, request.given, strict=True):
    if len(answer) > T:
      raise errors.InputError(
        f"question {request.id}: a given answer has {len(answer)} tokens; an"
        f" answer has at most {T}"
      )
    row[: len(answer)] = answer
  length = np.array([len(answer) for answer in request.given], np.int32)
  return (states.Given(tokens=tokens, length=length),)


def _of_group(group: int, whole: chex.Array) -> chex.Array:
  index = jax.device_put(np.int32(group))
  return jax.lax.dynamic_index_in_dim(whole, index, axis=0, keepdims=False)
