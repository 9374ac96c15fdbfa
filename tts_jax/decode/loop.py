"""The decode loop: many samples of a few questions, rows never idle.

Rows stand as [G, R]: G groups, each working on one question, and R rows in it.
A row that ends its sample starts the next sample of its own question in the
same step; that needs no prefill, since all samples of a question read one
prompt state. A group whose question is done is given another one by `admit`,
between calls of `decode_chunk`.

A sample need not begin where the prompt ends: `Starts` lets it begin at any
prefix, so that the nested prefixes of one text share its prefill.
"""

import dataclasses
import functools
from typing import Any

import chex
import flax.struct
import jax
import jax.numpy as jnp

from tts_jax import errors, types
from tts_jax.decode import lineage, sampling
from tts_jax.model import cache


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
  """When a sample ends.

  Attributes:
    max_tokens: T, tokens generated at most, the end token included.
    end_token: ends a sample; it is counted and kept. Of several, each does; the
      first is the one that answers are given with.

  Raises:
    errors.InputError: `max_tokens` is below 1, or there is no end token.
  """

  max_tokens: int
  end_token: int | tuple[int, ...]

  def __post_init__(self) -> None:
    if self.max_tokens < 1:
      raise errors.InputError(
        f"max_tokens is {self.max_tokens}; it must be at least 1"
      )
    if self.end_token == ():
      raise errors.InputError("end_token is (); there must be one at least")

  @property
  def end_tokens(self) -> tuple[int, ...]:
    """All that end a sample."""
    if isinstance(self.end_token, tuple):
      return self.end_token
    return (self.end_token,)

  def ends(self, token: chex.Array) -> chex.Array:
    """Whether each token [...] ends a sample."""
    found = (token == end for end in self.end_tokens)
    return functools.reduce(jnp.logical_or, found)


@flax.struct.dataclass(kw_only=True)
class Starts:
  """Where the samples of a question begin, and what seeds them.

  Attributes:
    length: [..., N] int32, how much of the prompt the sample sees: from 1 to
      all of its tokens.
    max_tokens: [..., N] int32, tokens generated at most, from 1 to T.
    uid: [..., N] uint32, of the text that the sample continues.
    number: [..., N] int32, which of that text's samples it is. With the token's
      index these two make its draws.
  """

  length: chex.Array
  max_tokens: chex.Array
  uid: chex.Array
  number: chex.Array


@flax.struct.dataclass(kw_only=True)
class DecodeState:
  """Everything that the loop carries from step to step.

  Attributes:
    prompt_state: the model's, leading axis G.
    starts: fields [G, N], where each sample begins.
    last_token: [G, N] int32, the last that it sees of its prompt: its first
      input.
    wanted: [G] int32, samples wanted, 0 in a group without a question.
    next_sample: [G] int32, the first sample index not yet begun.
    rows: the model's cache, leading axes [G, R].
    token: [G, R] int32, the token that the row reads next.
    sample: [G, R] int32, which sample the row is working on.
    position: [G, R] int32, tokens of that sample generated so far.
    active: [G, R] bool, the row is working on a sample.
    candidates: [G, N, T], the samples; a question's are whole when none of its
      rows is active.
  """

  prompt_state: Any
  starts: Starts
  last_token: chex.Array
  wanted: chex.Array
  next_sample: chex.Array
  rows: cache.RowCache
  token: chex.Array
  sample: chex.Array
  position: chex.Array
  active: chex.Array
  candidates: types.Candidates


@flax.struct.dataclass(kw_only=True)
class Usage:
  """What a call of `decode_chunk` did.

  Attributes:
    steps: [] int32, passes of the model over all rows.
    row_steps: [] int32, rows that were active in them, summed; each of these is
      one token generated. The share of `steps * G * R` is the utilisation.
  """

  steps: chex.Array
  row_steps: chex.Array


def init_state(
  params: types.Params,
  *,
  lm: types.LanguageModel,
  limits: Limits,
  groups: int,
  rows: int,
  samples: int,
  prompt_tokens: int,
) -> DecodeState:
  """A state without questions.

  Args:
    params: the model's; only their shapes are read.
    lm: the model.
    limits: of each sample.
    groups: G.
    rows: R, per group. More than a question has samples would idle.
    samples: N, the most that a question may be asked for.
    prompt_tokens: P, the longest prompt.

  Raises:
    errors.InputError: a size is below 1.
  """
  sizes = {"groups": groups, "rows": rows, "samples": samples}
  for name, size in sizes.items():
    if size < 1:
      raise errors.InputError(f"{name} is {size}; it must be at least 1")
  prompts = prompt_shapes(groups, prompt_tokens)
  prompt_state = jax.tree.map(
    lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
    jax.eval_shape(lm.prefill, params, prompts)[1],
  )
  shape = (groups, samples, limits.max_tokens)
  return DecodeState(
    prompt_state=prompt_state,
    starts=Starts(
      length=jnp.ones(shape[:2], jnp.int32),
      max_tokens=jnp.ones(shape[:2], jnp.int32),
      uid=jnp.zeros(shape[:2], jnp.uint32),
      number=jnp.zeros(shape[:2], jnp.int32),
    ),
    last_token=jnp.zeros(shape[:2], jnp.int32),
    wanted=jnp.zeros(groups, jnp.int32),
    next_sample=jnp.zeros(groups, jnp.int32),
    rows=lm.init_rows(groups, rows, limits.max_tokens),
    token=jnp.zeros((groups, rows), jnp.int32),
    sample=jnp.zeros((groups, rows), jnp.int32),
    position=jnp.zeros((groups, rows), jnp.int32),
    active=jnp.zeros((groups, rows), bool),
    candidates=types.Candidates(
      tokens=jnp.zeros(shape, jnp.int32),
      length=jnp.zeros(shape[:2], jnp.int32),
      finished=jnp.zeros(shape[:2], bool),
      token_logprob=jnp.zeros(shape, jnp.float32),
    ),
  )


def prompt_shapes(questions: int, prompt_tokens: int) -> types.Prompts:
  """What prompts [Q, P] look like, for `jax.eval_shape`."""
  return types.Prompts(
    tokens=jax.ShapeDtypeStruct((questions, prompt_tokens), jnp.int32),
    length=jax.ShapeDtypeStruct((questions,), jnp.int32),
    uid=jax.ShapeDtypeStruct((questions,), jnp.uint32),
  )


def admit(
  params: types.Params,
  state: DecodeState,
  group: chex.Array,
  prompt: types.Prompts,
  samples: chex.Array,
  starts: Starts | None = None,
  *,
  lm: types.LanguageModel,
) -> DecodeState:
  """Puts a question into a group, over whatever the group held.

  Args:
    params: the model's.
    state: donate it, and it is updated in place.
    group: [] int32, which group; not static, so all share one trace.
    prompt: one question, [1, P] with the P of `init_state`.
    samples: [] int32, how many to draw, at most N.
    starts: fields [N], where they begin. None: behind the whole prompt, each
      with T tokens of room, seeded by the prompt's uid and its own index.
    lm: the model.

  Returns:
    The state with samples 0 to R - 1 of the question begun.
  """
  chex.assert_shape(prompt.tokens, (1, None))

  def put(whole: chex.Array, one: chex.Array) -> chex.Array:
    one = jnp.asarray(one, whole.dtype).reshape(1, *whole.shape[1:])
    return jax.lax.dynamic_update_slice_in_dim(whole, one, group, axis=0)

  def clear(whole: chex.Array) -> chex.Array:
    return put(whole, jnp.zeros(whole.shape[1:], whole.dtype))

  room, T = state.candidates.tokens.shape[1:]
  if starts is None:
    starts = Starts(
      length=jnp.full(room, prompt.length[0]),
      max_tokens=jnp.full(room, T),
      uid=jnp.full(room, prompt.uid[0]),
      number=jnp.arange(room),
    )
  last = jnp.asarray(prompt.tokens)[0, starts.length - 1]
  rows = state.token.shape[1]
  sample = jnp.arange(rows, dtype=jnp.int32)
  here = jnp.arange(state.wanted.shape[0]) == group
  return dataclasses.replace(
    state,
    prompt_state=jax.tree.map(
      put, state.prompt_state, lm.prefill(params, prompt)[1]
    ),
    starts=jax.tree.map(put, state.starts, starts),
    last_token=put(state.last_token, last),
    wanted=put(state.wanted, samples),
    next_sample=put(state.next_sample, jnp.minimum(rows, samples)),
    rows=cache.reset(
      state.rows, jnp.broadcast_to(here[:, None], state.token.shape)
    ),
    token=put(state.token, last.at[sample].get(mode="clip")),
    sample=put(state.sample, sample),
    position=clear(state.position),
    active=put(state.active, sample < samples),
    candidates=jax.tree.map(clear, state.candidates),
  )


def decode_chunk(
  params: types.Params,
  state: DecodeState,
  key: chex.PRNGKey,
  *,
  lm: types.LanguageModel,
  sampler: sampling.Sampler,
  limits: Limits,
  steps: int,
) -> tuple[DecodeState, Usage]:
  """Decodes until a group has done its question, at most `steps` steps.

  Args:
    params: the model's.
    state: donate it, and it is updated in place.
    key: the run's key, the same at every call: with the sample's uid and number
      and the token's index it makes the draws.
    lm: the model.
    sampler: draws tokens.
    limits: as given to `init_state`.
    steps: at most this many, so that the caller gets its turn.

  Raises:
    errors.InputError: `steps` is below 1.
  """
  if steps < 1:
    raise errors.InputError(f"steps is {steps}; it must be at least 1")
  working = state.active.any(-1)

  def go_on(carry: tuple[DecodeState, Usage]) -> chex.Array:
    state, usage = carry
    # Rows are never kept waiting for a new question while there is one.
    return (
      (usage.steps < steps)
      & working.any()
      & (state.active.any(-1) == working).all()
    )

  def step(carry: tuple[DecodeState, Usage]) -> tuple[DecodeState, Usage]:
    state, usage = carry
    usage = Usage(
      steps=usage.steps + 1,
      row_steps=usage.row_steps + state.active.sum(dtype=jnp.int32),
    )
    starts = jax.tree.map(
      functools.partial(_of_rows, state.sample), state.starts
    )
    seen = dataclasses.replace(state.prompt_state, length=starts.length - 1)
    output, rows = lm.decode(params, seen, state.rows, state.token)
    uniform = lineage.draw(_keys(key, starts), state.position)
    token = sampler.sample(output.logits, uniform)
    state = dataclasses.replace(state, rows=rows, position=state.position + 1)
    ended = state.active & limits.ends(token)
    stopped = ended | (state.active & (state.position >= starts.max_tokens))
    state = _record(state, token, output.logprob(token), ended)
    return _refill(state, token, stopped), usage

  usage = Usage(steps=jnp.int32(0), row_steps=jnp.int32(0))
  return jax.lax.while_loop(go_on, step, (state, usage))


def _of_rows(sample: chex.Array, values: chex.Array) -> chex.Array:
  """What [G, N] values hold for the sample [G, R] of each row."""
  # An idle row's index may be out of range; what it gets does not matter.
  return jnp.take_along_axis(values, sample, axis=1, mode="clip")


def _keys(key: chex.PRNGKey, starts: Starts) -> chex.PRNGKey:
  """[G, R] keys of the samples that rows are working on."""
  question_key = lineage.question_keys(key, starts.uid.reshape(-1))
  number = starts.number.reshape(-1, 1)
  return lineage.sample_keys(question_key, number).reshape(starts.uid.shape)


def _record(
  state: DecodeState,
  token: chex.Array,  # [G, R], drawn in this step
  logprob: chex.Array,  # [G, R]
  ended: chex.Array,  # [G, R]
) -> DecodeState:
  """Writes the step's tokens into the candidates, in place."""
  old = state.candidates
  group = jnp.arange(token.shape[0])[:, None]
  # An idle row's sample is put out of range, and the write is dropped.
  sample = jnp.where(state.active, state.sample, old.length.shape[1])
  at = (group, sample, state.position - 1)
  return dataclasses.replace(
    state,
    candidates=types.Candidates(
      tokens=old.tokens.at[at].set(token, mode="drop"),
      length=old.length.at[at[:2]].set(state.position, mode="drop"),
      finished=old.finished.at[at[:2]].set(ended, mode="drop"),
      token_logprob=old.token_logprob.at[at].set(logprob, mode="drop"),
    ),
  )


def _refill(
  state: DecodeState, token: chex.Array, stopped: chex.Array
) -> DecodeState:
  """Gives each stopped row its question's next sample, in the order of rows.

  Args:
    state: as the step leaves it, its rows' samples still the old ones.
    token: [G, R] int32, drawn in this step.
    stopped: [G, R] bool, the row's sample is over.
  """
  turn = jnp.cumsum(stopped, axis=-1, dtype=jnp.int32) - 1
  following = state.next_sample[:, None] + turn
  begins = stopped & (following < state.wanted[:, None])
  sample = jnp.where(begins, following, state.sample)
  active = (state.active & ~stopped) | begins
  return dataclasses.replace(
    state,
    next_sample=state.next_sample + begins.sum(-1, dtype=jnp.int32),
    # Idle rows are decoded with the rest: emptied at each step, they never
    # write beyond their cache.
    rows=cache.reset(state.rows, stopped | ~active),
    token=jnp.where(begins, _of_rows(sample, state.last_token), token),
    sample=sample,
    position=jnp.where(stopped | ~active, 0, state.position),
    active=active,
  )
