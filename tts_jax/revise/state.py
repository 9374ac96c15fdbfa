"""Chains of revisions as data: what is asked for, and the loop's state."""

import dataclasses
from typing import Any

import chex
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from tts_jax import errors, types
from tts_jax.decode import loop, sampling
from tts_jax.model import cache

WINDOW = 4

# Answers of a chain part its draws at these token indices, so that no draw
# depends on how long answers may be; the first answer draws as a sample does.
ANSWER_BITS = 16


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
    if self.limits.max_tokens > 1 << ANSWER_BITS:
      raise errors.InputError(
        f"max_tokens is {self.limits.max_tokens}; an answer of a chain has at"
        f" most {1 << ANSWER_BITS}"
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
    given: [G, C] int32, tokens of each chain's first answer where that was
      given; 0 where the model writes it.
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
  given: chex.Array
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
    given=zeros(groups, len(plan.lengths)),
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


@flax.struct.dataclass(kw_only=True)
class Given:
  """Answers with which chains begin, in place of their own first ones.

  Attributes:
    tokens: [C, T] int32, the end token included.
    length: [C] int32; 0: the model writes that chain's first answer.

  Of several end tokens a given answer has the first.
  """

  tokens: chex.Array
  length: chex.Array


@flax.struct.dataclass(kw_only=True)
class Start:
  """How rows [G, R] begin their chains; fields as of `ChainState`."""

  token: chex.Array
  answer: chex.Array
  shown: chex.Array
  shown_tokens: chex.Array
  waits: chex.Array


def start_chains(
  given: chex.Array, last_token: chex.Array, setup: Setup
) -> Start:
  """The beginning of chains: behind the prompt, or behind a given answer.

  Args:
    given: [...] int32, tokens of the given answer; 0: none.
    last_token: [...] int32, the prompt's.
    setup: the model and the chains.
  """
  # A given answer too long for the context is revised unseen.
  seen = (given > 0) & (given <= setup.plan.context_tokens)
  latest = jnp.arange(setup.plan.window) == setup.plan.window - 1
  here = seen[..., None] & latest
  return Start(
    token=jnp.where(seen, setup.limits.end_tokens[0], last_token),
    answer=(given > 0).astype(jnp.int32),
    shown=jnp.where(here, 0, -1),
    shown_tokens=jnp.where(here, given[..., None], 0),
    waits=seen,
  )


def admit(
  params: types.Params,
  state: ChainState,
  group: chex.Array,
  prompt: types.Prompts,
  given: Given | None = None,
  *,
  setup: Setup,
) -> ChainState:
  """Puts a question into a group, over whatever the group held.

  Args:
    params: the model's.
    state: donate it, and it is updated in place.
    group: [] int32, which group.
    prompt: one question, [1, P] with the P of `init_state`.
    given: answers with which its chains begin; None: each writes its own.
    setup: as of the state.

  Returns:
    The state with the first R chains of the question begun.

  Raises:
    InputError: answers are given, and a chain has no other one.
  """
  chex.assert_shape(prompt.tokens, (1, None))
  if given is not None and min(setup.plan.lengths) < 2:
    raise errors.InputError(
      f"answers are given to chains of {list(setup.plan.lengths)}; each must"
      " have at least 2, the given one and its revision"
    )

  def put(whole: chex.Array, one: chex.Array) -> chex.Array:
    one = jnp.asarray(one, whole.dtype).reshape(1, *whole.shape[1:])
    return jax.lax.dynamic_update_slice_in_dim(whole, one, group, axis=0)

  def fill(whole: chex.Array, value: chex.Array | int) -> chex.Array:
    return put(whole, jnp.full(whole.shape[1:], value))

  plan = setup.plan
  chains, rows = len(plan.lengths), state.token.shape[1]
  chain = jnp.arange(rows, dtype=jnp.int32)
  last = jnp.asarray(prompt.tokens)[0, prompt.length[0] - 1]
  here = jnp.arange(len(state.uid)) == group
  answers = jax.tree.map(lambda leaf: fill(leaf, 0), state.candidates)
  length = jnp.zeros(chains, jnp.int32)
  if given is not None:
    length, at = given.length, (group, jnp.asarray(plan.starts))
    answers = dataclasses.replace(
      answers,
      tokens=answers.tokens.at[at].set(given.tokens),
      length=answers.length.at[at].set(length),
      finished=answers.finished.at[at].set(length > 0),
    )
  start = start_chains(length.at[chain].get(mode="clip"), last, setup)
  active = chain < chains
  return dataclasses.replace(
    state,
    prompt_state=jax.tree.map(
      put, state.prompt_state, setup.lm.prefill(params, prompt)[1]
    ),
    last_token=fill(state.last_token, last),
    uid=put(state.uid, prompt.uid),
    next_chain=fill(state.next_chain, min(rows, chains)),
    given=put(state.given, length),
    rows=cache.reset(
      state.rows, jnp.broadcast_to(here[:, None], state.token.shape)
    ),
    token=put(state.token, start.token),
    chain=put(state.chain, chain),
    answer=put(state.answer, start.answer),
    position=fill(state.position, 0),
    shown=put(state.shown, start.shown),
    shown_tokens=put(state.shown_tokens, start.shown_tokens),
    active=put(state.active, active),
    waits=put(state.waits, active & start.waits),
    candidates=answers,
    read=fill(state.read, 0),
  )
