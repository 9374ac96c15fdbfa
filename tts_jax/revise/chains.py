"""Chains of revisions in the decode loop (paper, "Revisions").

Rows stand as [G, R], as in `decode.loop`: G groups, each working on one
question, and R rows in it. A row works on a chain: it writes an answer, then
another one with the latest answers in its context, and so on; at the chain's
end it takes the question's next chain.

What a row reads is the prompt, then each answer shown with its end token; what
follows an end token is a revision. While the context only grows, a row simply
goes on: nothing is read twice. An answer that was cut is taken back, by its
length alone. When an old answer leaves the context, all that stands behind it
changes: such rows wait, and several of them read their new contexts in one
pass, after the prompt that they share with their group.
"""

import dataclasses
from typing import Any

import chex
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from tts_jax import errors, types
from tts_jax.decode import lineage, loop, sampling
from tts_jax.model import cache

WINDOW = 4

# Answers of a chain part its draws at these token indices, so that no draw
# depends on how long answers may be; the first answer draws as a sample does.
_ANSWER_BITS = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
  """Which chains a question gets, and what their answers see.

  Attributes:
    lengths: answers of each chain. In `A` answers of a question those of the
      first chain come first, then those of the second, and so on.
    window: latest answers in the context at most.
    context_tokens: tokens of them at most: of the latest answers as many are
      shown as fit. An answer that was cut at its limit is not shown.

  Raises:
    InputError: there is no chain; a length or `window` is below 1, or
      `context_tokens` below 0.
  """

  lengths: tuple[int, ...]
  window: int = WINDOW
  context_tokens: int

  def __post_init__(self) -> None:
    if not self.lengths or min(self.lengths) < 1:
      raise errors.InputError(
        f"chains of {list(self.lengths)} answers: there must be a chain, and"
        " each must have at least 1"
      )
    for name, least in (("window", 1), ("context_tokens", 0)):
      if getattr(self, name) < least:
        raise errors.InputError(
          f"{name} is {getattr(self, name)}; it must be at least {least}"
        )

  @property
  def answers(self) -> int:
    """A, of a question."""
    return sum(self.lengths)

  @property
  def starts(self) -> np.ndarray:
    """[C] int32, the place of each chain's first answer among the A."""
    return np.cumsum([0, *self.lengths[:-1]], dtype=np.int32)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
  """All that is static in running chains.

  Attributes:
    lm: the revision model.
    sampler: draws tokens.
    limits: of each answer.
    plan: the chains of a question.
    rebuilt: rows that read their new contexts in one pass, at most.

  Raises:
    InputError: an answer may have more tokens than its draws have room for;
      `rebuilt` is below 1.
  """

  lm: types.LanguageModel
  sampler: sampling.Sampler
  limits: loop.Limits
  plan: Plan
  rebuilt: int = 16

  def __post_init__(self) -> None:
    if self.limits.max_tokens > 1 << _ANSWER_BITS:
      raise errors.InputError(
        f"max_tokens is {self.limits.max_tokens}; an answer of a chain has at"
        f" most {1 << _ANSWER_BITS}"
      )
    if self.rebuilt < 1:
      raise errors.InputError(
        f"rebuilt is {self.rebuilt}; it must be at least 1"
      )

  @property
  def slots(self) -> int:
    """S, of a row: the context, and the answer but for its last token."""
    return self.plan.context_tokens + self.limits.max_tokens


@flax.struct.dataclass(kw_only=True)
class ChainState:
  """Everything that the loop carries from step to step.

  Attributes:
    prompt_state: the model's, leading axis G.
    last_token: [G] int32, the prompt's.
    uid: [G] uint32, the question's.
    next_chain: [G] int32, the first chain not yet begun; C where none is left.
    rows: the model's cache, leading axes [G, R].
    token: [G, R] int32, the token that the row reads next.
    chain: [G, R] int32, which chain the row is working on.
    answer: [G, R] int32, which of its answers.
    position: [G, R] int32, tokens of that answer generated so far.
    shown: [G, R, W] int32, the answers in the context, the latest last; -1
      before them.
    shown_tokens: [G, R, W] int32, tokens of each; 0 where there is none.
    active: [G, R] bool, the row is working on a chain.
    waits: [G, R] bool, it cannot go on before it has read its new context.
    candidates: [G, A, T], the answers.
    read: [G] int32, tokens of contexts read anew.
  """

  prompt_state: Any
  last_token: chex.Array
  uid: chex.Array
  next_chain: chex.Array
  rows: cache.RowCache
  token: chex.Array
  chain: chex.Array
  answer: chex.Array
  position: chex.Array
  shown: chex.Array
  shown_tokens: chex.Array
  active: chex.Array
  waits: chex.Array
  candidates: types.Candidates
  read: chex.Array


def init_state(
  params: types.Params,
  *,
  setup: Setup,
  groups: int,
  rows: int,
  prompt_tokens: int,
) -> ChainState:
  """A state without questions.

  Args:
    params: the model's; only their shapes are read.
    setup: the model and the chains.
    groups: G.
    rows: R, per group. More than a question has chains would idle.
    prompt_tokens: P, the longest prompt.

  Raises:
    InputError: a size is below 1.
  """
  for name, size in (("groups", groups), ("rows", rows)):
    if size < 1:
      raise errors.InputError(f"{name} is {size}; it must be at least 1")
  plan, T = setup.plan, setup.limits.max_tokens
  shapes = loop.prompt_shapes(groups, prompt_tokens)
  prompt_state = jax.tree.map(
    lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
    jax.eval_shape(setup.lm.prefill, params, shapes)[1],
  )

  def zeros(*shape: int) -> chex.Array:
    return jnp.zeros(shape, jnp.int32)

  def flags() -> chex.Array:
    return jnp.zeros((groups, rows), bool)

  return ChainState(
    prompt_state=prompt_state,
    last_token=zeros(groups),
    uid=jnp.zeros(groups, jnp.uint32),
    next_chain=jnp.full(groups, len(plan.lengths), jnp.int32),
    rows=setup.lm.init_rows(groups, rows, setup.slots),
    token=zeros(groups, rows),
    chain=zeros(groups, rows),
    answer=zeros(groups, rows),
    position=zeros(groups, rows),
    shown=zeros(groups, rows, plan.window) - 1,
    shown_tokens=zeros(groups, rows, plan.window),
    active=flags(),
    waits=flags(),
    candidates=types.Candidates(
      tokens=zeros(groups, plan.answers, T),
      length=zeros(groups, plan.answers),
      finished=jnp.zeros((groups, plan.answers), bool),
      token_logprob=jnp.zeros((groups, plan.answers, T), jnp.float32),
    ),
    read=zeros(groups),
  )


def admit(
  params: types.Params,
  state: ChainState,
  group: chex.Array,
  prompt: types.Prompts,
  *,
  setup: Setup,
) -> ChainState:
  """Puts a question into a group, over whatever the group held.

  Args:
    params: the model's.
    state: donate it, and it is updated in place.
    group: [] int32, which group.
    prompt: one question, [1, P] with the P of `init_state`.
    setup: as of the state.

  Returns:
    The state with the first R chains of the question begun.
  """
  chex.assert_shape(prompt.tokens, (1, None))

  def put(whole: chex.Array, one: chex.Array) -> chex.Array:
    one = jnp.asarray(one, whole.dtype).reshape(1, *whole.shape[1:])
    return jax.lax.dynamic_update_slice_in_dim(whole, one, group, axis=0)

  def fill(whole: chex.Array, value: chex.ArrayNumpy | int) -> chex.Array:
    return put(whole, jnp.full(whole.shape[1:], value))

  chains, rows = len(setup.plan.lengths), state.token.shape[1]
  chain = jnp.arange(rows, dtype=jnp.int32)
  last = jnp.asarray(prompt.tokens)[0, prompt.length[0] - 1]
  here = jnp.arange(len(state.uid)) == group
  return dataclasses.replace(
    state,
    prompt_state=jax.tree.map(
      put, state.prompt_state, setup.lm.prefill(params, prompt)[1]
    ),
    last_token=fill(state.last_token, last),
    uid=put(state.uid, prompt.uid),
    next_chain=fill(state.next_chain, min(rows, chains)),
    rows=cache.reset(
      state.rows, jnp.broadcast_to(here[:, None], state.token.shape)
    ),
    token=fill(state.token, last),
    chain=put(state.chain, chain),
    answer=fill(state.answer, 0),
    position=fill(state.position, 0),
    shown=fill(state.shown, -1),
    shown_tokens=fill(state.shown_tokens, 0),
    active=put(state.active, chain < chains),
    waits=fill(state.waits, False),
    candidates=jax.tree.map(lambda leaf: fill(leaf, 0), state.candidates),
    read=fill(state.read, 0),
  )


def chain_chunk(
  params: types.Params,
  state: ChainState,
  key: chex.PRNGKey,
  *,
  setup: Setup,
  steps: int,
) -> tuple[ChainState, loop.Usage]:
  """Decodes until enough rows wait, then lets them read their contexts.

  Args:
    params: the model's.
    state: donate it, and it is updated in place.
    key: the run's key, the same at every call: with the question's uid, the
      chain, the answer and the token's index it makes the draws.
    setup: as of the state.
    steps: at most this many, so that the caller gets its turn.

  Raises:
    InputError: `steps` is below 1.
  """
  if steps < 1:
    raise errors.InputError(f"steps is {steps}; it must be at least 1")
  working = state.active.any(-1)
  enough = min(setup.rebuilt, state.token.size)

  def go_on(carry: tuple[ChainState, loop.Usage]) -> chex.Array:
    state, usage = carry
    return (
      (usage.steps < steps)
      & (state.active & ~state.waits).any()
      & (state.waits.sum() < enough)
      & (state.active.any(-1) == working).all()
    )

  def step(
    carry: tuple[ChainState, loop.Usage],
  ) -> tuple[ChainState, loop.Usage]:
    state, usage = carry
    writes = state.active & ~state.waits
    usage = loop.Usage(
      steps=usage.steps + 1,
      row_steps=usage.row_steps + writes.sum(dtype=jnp.int32),
    )
    return _decode(params, state, key, setup), usage

  usage = loop.Usage(steps=jnp.int32(0), row_steps=jnp.int32(0))
  state, usage = jax.lax.while_loop(go_on, step, (state, usage))
  waiting = state.waits.sum()
  stuck = ~(state.active & ~state.waits).any()
  state = jax.lax.cond(
    (waiting >= enough) | (stuck & (waiting > 0)),
    lambda state: _rebuild(params, state, setup),
    lambda state: state,
    state,
  )
  return state, usage


def _decode(
  params: types.Params, state: ChainState, key: chex.PRNGKey, setup: Setup
) -> ChainState:
  """One token of every row that writes; then what its end entails."""
  plan, end = setup.plan, setup.limits.end_token
  writes = state.active & ~state.waits
  output, rows = setup.lm.decode(
    params, state.prompt_state, state.rows, state.token
  )
  keys = lineage.sample_keys(lineage.question_keys(key, state.uid), state.chain)
  index = (state.answer << _ANSWER_BITS) + state.position
  token = setup.sampler.sample(output.logits, lineage.draw(keys, index))
  position = state.position + 1
  ended = writes & (token == end)
  stopped = ended | (writes & (position >= setup.limits.max_tokens))
  candidates = _record(
    state, token, output.logprob(token), ended, position, writes, plan
  )

  # The chain goes on, or the row takes the next one of its question.
  lengths = jnp.asarray(plan.lengths, jnp.int32)
  over = stopped & (state.answer + 1 >= lengths[state.chain])
  turn = jnp.cumsum(over, axis=-1, dtype=jnp.int32) - 1
  following = state.next_chain[:, None] + turn
  begins = over & (following < len(lengths))
  goes_on = stopped & ~over

  shown, shown_tokens, grows = _push(state, position, plan)
  pushed = (goes_on & ended)[..., None]
  shown = jnp.where(pushed, shown, state.shown)
  shown_tokens = jnp.where(pushed, shown_tokens, state.shown_tokens)
  shown = jnp.where(over[..., None], -1, shown)
  shown_tokens = jnp.where(over[..., None], 0, shown_tokens)
  context = shown_tokens.sum(-1)
  waits = state.waits | (goes_on & ended & ~grows & (context > 0))
  active = (state.active & ~over) | begins

  # Emptied at each step, rows that do not write never outgrow their cache.
  idle = ~active | waits | over | (goes_on & (context == 0))
  # What was cut is taken back: behind it stand the prompt's last token and the
  # context but for its own last one.
  rows = cache.truncate(rows, jnp.where(goes_on & ~ended, context, setup.slots))
  first = jnp.where(context > 0, end, state.last_token[:, None])
  return dataclasses.replace(
    state,
    next_chain=state.next_chain + begins.sum(-1, dtype=jnp.int32),
    rows=cache.reset(rows, idle),
    token=jnp.where(stopped, first, jnp.where(writes, token, state.token)),
    chain=jnp.where(begins, following, state.chain),
    answer=jnp.where(over, 0, state.answer + goes_on),
    position=jnp.where(stopped | ~writes, 0, position),
    shown=shown,
    shown_tokens=shown_tokens,
    active=active,
    waits=waits,
    candidates=candidates,
  )


def _record(
  state: ChainState,
  token: chex.Array,  # [G, R], drawn in this step
  logprob: chex.Array,  # [G, R]
  ended: chex.Array,  # [G, R]
  position: chex.Array,  # [G, R], tokens of the answer, this one included
  writes: chex.Array,  # [G, R]
  plan: Plan,
) -> types.Candidates:
  """The candidates with the step's tokens, in place."""
  old = state.candidates
  group = jnp.arange(token.shape[0])[:, None]
  place = jnp.asarray(plan.starts)[state.chain] + state.answer
  # A row that does not write is put out of range, and the write is dropped.
  place = jnp.where(writes, place, plan.answers)
  at = (group, place, position - 1)
  return types.Candidates(
    tokens=old.tokens.at[at].set(token, mode="drop"),
    length=old.length.at[at[:2]].set(position, mode="drop"),
    finished=old.finished.at[at[:2]].set(ended, mode="drop"),
    token_logprob=old.token_logprob.at[at].set(logprob, mode="drop"),
  )


def _push(
  state: ChainState, position: chex.Array, plan: Plan
) -> tuple[chex.Array, chex.Array, chex.Array]:
  """The contexts with each row's answer as the latest.

  Args:
    state: before the answer.
    position: [G, R], the answer's tokens.
    plan: what answers see.

  Returns:
    shown [G, R, W], shown_tokens [G, R, W], and whether it only grew [G, R].
  """

  def shift(old: chex.Array, latest: chex.Array) -> chex.Array:
    return jnp.concatenate([old[..., 1:], latest[..., None]], axis=-1)

  shown = shift(state.shown, state.answer)
  tokens = shift(state.shown_tokens, position)
  total = jnp.cumsum(tokens[..., ::-1], axis=-1)[..., ::-1]
  fits = (shown >= 0) & (total <= plan.context_tokens)
  kept = fits.sum(-1)
  grows = kept == (state.shown >= 0).sum(-1) + 1
  return jnp.where(fits, shown, -1), jnp.where(fits, tokens, 0), grows


def _rebuild(
  params: types.Params, state: ChainState, setup: Setup
) -> ChainState:
  """Lets rows that wait read their new contexts, behind the prompt's."""
  G, R = state.token.shape
  size = min(setup.rebuilt, G * R)
  place = jnp.flatnonzero(state.waits, size=size, fill_value=G * R)
  group, row = jnp.divmod(place, R)  # Group G, where there is none, is dropped.
  mine = jnp.minimum(group, G - 1)

  def of_row(leaf: chex.Array) -> chex.Array:
    return leaf[mine, row]

  tokens = of_row(state.shown_tokens)  # [B, W]
  length = jnp.where(group < G, tokens.sum(-1), 0)
  # The context is the answers shown, one after another; a row reads the
  # prompt's last token before it, and its own last token when it goes on.
  slot = jnp.arange(setup.plan.context_tokens - 1)
  ends = jnp.cumsum(tokens, axis=-1)
  which = (slot[None, :, None] >= ends[:, None]).sum(-1)
  which = jnp.minimum(which, setup.plan.window - 1)  # [B, C]
  offset = slot - jnp.take_along_axis(ends - tokens, which, axis=-1)
  first = jnp.asarray(setup.plan.starts)[of_row(state.chain)]
  answer = first[:, None] + jnp.take_along_axis(
    of_row(state.shown), which, axis=-1
  )
  context = state.candidates.tokens.at[mine[:, None], answer, offset].get(
    mode="clip"
  )
  last = state.last_token[mine]
  prompts = jax.tree.map(lambda leaf: leaf[mine], state.prompt_state)
  read = jnp.concatenate([last[:, None], context], axis=1)
  _, block = setup.lm.extend(params, prompts, read)
  return dataclasses.replace(
    state,
    rows=cache.put_rows(state.rows, block, group, row, length),
    waits=state.waits.at[group, row].set(False, mode="drop"),
    read=state.read.at[group].add(length, mode="drop"),
  )
