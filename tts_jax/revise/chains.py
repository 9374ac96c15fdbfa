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

import chex
import jax
import jax.numpy as jnp

from tts_jax import errors, types
from tts_jax.decode import lineage, loop
from tts_jax.model import cache
from tts_jax.revise import state as states


def chain_chunk(
  params: types.Params,
  state: states.ChainState,
  key: chex.PRNGKey,
  *,
  setup: states.Setup,
  steps: int,
) -> tuple[states.ChainState, loop.Usage]:
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

  def go_on(carry: tuple[states.ChainState, loop.Usage]) -> chex.Array:
    state, usage = carry
    return (
      (usage.steps < steps)
      & (state.active & ~state.waits).any()
      & (state.waits.sum() < enough)
      & (state.active.any(-1) == working).all()
    )

  def step(
    carry: tuple[states.ChainState, loop.Usage],
  ) -> tuple[states.ChainState, loop.Usage]:
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
  params: types.Params,
  state: states.ChainState,
  key: chex.PRNGKey,
  setup: states.Setup,
) -> states.ChainState:
  """One token of every row that writes; then what its end entails."""
  plan = setup.plan
  writes = state.active & ~state.waits
  output, rows = setup.lm.decode(
    params, state.prompt_state, state.rows, state.token
  )
  keys = lineage.sample_keys(lineage.question_keys(key, state.uid), state.chain)
  index = (state.answer << states.ANSWER_BITS) + state.position
  token = setup.sampler.sample(output.logits, lineage.draw(keys, index))
  position = state.position + 1
  ended = writes & setup.limits.ends(token)
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

  chain = jnp.where(begins, following, state.chain)
  given = jnp.take_along_axis(state.given, chain, axis=1, mode="clip")
  start = states.start_chains(given, state.last_token[:, None], setup)

  shown, shown_tokens, grows = _push(state, position, plan)
  pushed = (goes_on & ended)[..., None]
  shown = jnp.where(pushed, shown, state.shown)
  shown_tokens = jnp.where(pushed, shown_tokens, state.shown_tokens)
  context = shown_tokens.sum(-1)
  waits = state.waits | (goes_on & ended & ~grows & (context > 0))
  waits |= begins & start.waits
  active = (state.active & ~over) | begins

  # Emptied at each step, rows that do not write never outgrow their cache.
  idle = ~active | waits | over | (goes_on & (context == 0))
  # What was cut is taken back: behind it stand the prompt's last token and the
  # context but for its own last one.
  rows = cache.truncate(rows, jnp.where(goes_on & ~ended, context, setup.slots))
  end = _last_end(state, candidates, shown, shown_tokens, setup)
  first = jnp.where(context > 0, end, state.last_token[:, None])
  token = jnp.where(stopped, first, jnp.where(writes, token, state.token))
  return dataclasses.replace(
    state,
    next_chain=state.next_chain + begins.sum(-1, dtype=jnp.int32),
    rows=cache.reset(rows, idle),
    token=jnp.where(over, start.token, token),
    chain=chain,
    answer=jnp.where(over, start.answer, state.answer + goes_on),
    position=jnp.where(stopped | ~writes, 0, position),
    shown=jnp.where(over[..., None], start.shown, shown),
    shown_tokens=jnp.where(over[..., None], start.shown_tokens, shown_tokens),
    active=active,
    waits=waits,
    candidates=candidates,
  )


def _record(
  state: states.ChainState,
  token: chex.Array,  # [G, R], drawn in this step
  logprob: chex.Array,  # [G, R]
  ended: chex.Array,  # [G, R]
  position: chex.Array,  # [G, R], tokens of the answer, this one included
  writes: chex.Array,  # [G, R]
  plan: states.Plan,
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


def _last_end(
  state: states.ChainState,
  candidates: types.Candidates,
  shown: chex.Array,  # [G, R, W]
  shown_tokens: chex.Array,  # [G, R, W]
  setup: states.Setup,
) -> chex.Array | int:
  """The end token of the latest answer shown, [G, R] or one for all."""
  ends = setup.limits.end_tokens
  if len(ends) == 1:
    return ends[0]
  group = jnp.arange(shown.shape[0])[:, None]
  place = jnp.asarray(setup.plan.starts)[state.chain] + shown[..., -1]
  # Where none is shown it does not matter what is found.
  at = (group, place, shown_tokens[..., -1] - 1)
  return candidates.tokens.at[at].get(mode="clip")


def _push(
  state: states.ChainState, position: chex.Array, plan: states.Plan
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
  params: types.Params, state: states.ChainState, setup: states.Setup
) -> states.ChainState:
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
