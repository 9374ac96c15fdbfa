"""The decode loop: many samples of a few questions, rows never idle.

Rows stand as [G, R]: G groups, each working on one question, and R rows in it.
A row that ends its sample starts the next sample of its own question in the
same step; that needs no prefill, since all samples of a question read one
prompt state. A group whose question is done is given another one by `admit`,
between calls of `decode_chunk`.
"""

import dataclasses
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
    end_token: ends a sample; it is counted and kept.

  Raises:
    errors.InputError: `max_tokens` is below 1.
  """

  max_tokens: int
  end_token: int

  def __post_init__(self) -> None:
    if self.max_tokens < 1:
      raise errors.InputError(
        f"max_tokens is {self.max_tokens}; it must be at least 1"
      )


@flax.struct.dataclass(kw_only=True)
class DecodeState:
  """Everything that the loop carries from step to step.

  Attributes:
    prompt_state: the model's, leading axis G.
    last_token: [G] int32, the prompt's last token, which starts each sample.
    uid: [G] uint32, of the question.
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
  last_token: chex.Array
  uid: chex.Array
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
  prompts = types.Prompts(
    tokens=jax.ShapeDtypeStruct((groups, prompt_tokens), jnp.int32),
    length=jax.ShapeDtypeStruct((groups,), jnp.int32),
    uid=jax.ShapeDtypeStruct((groups,), jnp.uint32),
  )
  prompt_state = jax.tree.map(
    lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
    jax.eval_shape(lm.prefill, params, prompts),
  )
  shape = (groups, samples, limits.max_tokens)
  return DecodeState(
    prompt_state=prompt_state,
    last_token=jnp.zeros(groups, jnp.int32),
    uid=jnp.zeros(groups, jnp.uint32),
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


def admit(
  params: types.Params,
  state: DecodeState,
  group: chex.Array,
  prompt: types.Prompts,
  samples: chex.Array,
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

  rows = state.token.shape[1]
  sample = jnp.arange(rows, dtype=jnp.int32)
  last = prompt.tokens[0, prompt.length[0] - 1]
  here = jnp.arange(state.uid.shape[0]) == group
  return dataclasses.replace(
    state,
    prompt_state=jax.tree.map(
      put, state.prompt_state, lm.prefill(params, prompt)
    ),
    last_token=put(state.last_token, last),
    uid=put(state.uid, prompt.uid),
    wanted=put(state.wanted, samples),
    next_sample=put(state.next_sample, jnp.minimum(rows, samples)),
    rows=cache.reset(
      state.rows, jnp.broadcast_to(here[:, None], state.token.shape)
    ),
    token=put(state.token, jnp.full(rows, last)),
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
    key: the run's key, the same at every call: with the question's uid, the
      sample's index and the token's it makes the draws.
    lm: the model.
    sampler: draws tokens.
    limits: as given to `init_state`.
    steps: at most this many, so that the caller gets its turn.

  Raises:
    errors.InputError: `steps` is below 1.
  """
  if steps < 1:
    raise errors.InputError(f"steps is {steps}; it must be at least 1")
  question_key = lineage.question_keys(key, state.uid)
  row_key = lineage.sample_keys(question_key, state.sample)
  working = state.active.any(-1)

  def go_on(carry: tuple[DecodeState, chex.PRNGKey, Usage]) -> chex.Array:
    state, _, usage = carry
    # Rows are never kept waiting for a new question while there is one.
    return (
      (usage.steps < steps)
      & working.any()
      & (state.active.any(-1) == working).all()
    )

  def step(
    carry: tuple[DecodeState, chex.PRNGKey, Usage],
  ) -> tuple[DecodeState, chex.PRNGKey, Usage]:
    state, row_key, usage = carry
    usage = Usage(
      steps=usage.steps + 1,
      row_steps=usage.row_steps + state.active.sum(dtype=jnp.int32),
    )
    output, rows = lm.decode(
      params, state.prompt_state, state.rows, state.token
    )
    token = sampler.sample(output.logits, lineage.draw(row_key, state.position))
    state = dataclasses.replace(state, rows=rows, position=state.position + 1)
    ended = state.active & (token == limits.end_token)
    stopped = ended | (state.active & (state.position >= limits.max_tokens))
    state = _record(state, token, _logprob(output.logits, token), ended)
    state = _refill(state, token, stopped)
    fresh = lineage.sample_keys(question_key, state.sample)
    return state, jnp.where(stopped, fresh, row_key), usage

  usage = Usage(steps=jnp.int32(0), row_steps=jnp.int32(0))
  state, _, usage = jax.lax.while_loop(go_on, step, (state, row_key, usage))
  return state, usage


def _logprob(logits: chex.Array, token: chex.Array) -> chex.Array:
  """Log-probability [...] of each token [...] under logits [..., V]."""
  taken = jnp.take_along_axis(logits, token[..., None], axis=-1, mode="clip")
  return taken.squeeze(-1) - jax.nn.logsumexp(logits, axis=-1)


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
  active = (state.active & ~stopped) | begins
  return dataclasses.replace(
    state,
    next_sample=state.next_sample + begins.sum(-1, dtype=jnp.int32),
    # Idle rows are decoded with the rest: emptied at each step, they never
    # write beyond their cache.
    rows=cache.reset(state.rows, stopped | ~active),
    token=jnp.where(begins, state.last_token[:, None], token),
    sample=jnp.where(begins, following, state.sample),
    position=jnp.where(stopped | ~active, 0, state.position),
    active=active,
  )
