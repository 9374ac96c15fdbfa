"""The search loop: rounds of many questions, each at its own pace.

Rows stand as [G, N]: G groups, each searching for one question's solution in N
rows. A pass of the models draws one token in every row and scores it. A row
whose step has ended waits, standing still, for the others of its group; when
none draws any more, the group closes its round: the best survive, and the rows
of the others are overwritten by copies of them. Groups do not wait for each
other.

Scores come from the passes that draw: nothing is read twice.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import chex
import jax
import jax.numpy as jnp

from tts_jax import errors
from tts_jax.decode import lineage, sampling
from tts_jax.decode import loop as decode_loop
from tts_jax.model import cache
from tts_jax.search import lookahead, recording, selection
from tts_jax.search import setup as setups
from tts_jax.search import state as states

_Carry = tuple[states.SearchState, decode_loop.Usage]


def search_chunk(
  weights: setups.Weights,
  state: states.SearchState,
  key: chex.PRNGKey,
  *,
  setup: setups.Setup,
  steps: int,
) -> tuple[states.SearchState, decode_loop.Usage]:
  """Searches until a group has done its question, at most `steps` passes.

  Args:
    weights: of the models.
    state: donate it, and it is updated in place.
    key: the run's key, the same at every call: with the question's uid, the
      row's lineage and the token's index it makes the draws.
    setup: the search.
    steps: at most this many passes, so that the caller gets its turn.

  Returns:
    The state, and the passes made and rows at work in them: each of these drew
    a token or rolled one ahead.

  Raises:
    errors.InputError: `steps` is below 1.
  """
  if steps < 1:
    raise errors.InputError(f"steps is {steps}; it must be at least 1")
  working = state.progress.working

  def go_on(carry: _Carry) -> chex.Array:
    state, usage = carry
    # Groups are never kept waiting for a new question while there is one.
    same = (state.progress.working == working).all()
    return (usage.steps < steps) & working.any() & same

  return _search_while(go_on, weights, state, key, setup)


def search_to_end(
  weights: setups.Weights,
  state: states.SearchState,
  key: chex.PRNGKey,
  *,
  setup: setups.Setup,
) -> tuple[states.SearchState, decode_loop.Usage]:
  """As `search_chunk`, until every group has done its question."""

  def go_on(carry: _Carry) -> chex.Array:
    return carry[0].progress.working.any()

  return _search_while(go_on, weights, state, key, setup)


def draw_chunk(
  weights: setups.Weights,
  state: states.SearchState,
  key: chex.PRNGKey,
  *,
  setup: setups.Setup,
  steps: int,
) -> tuple[states.SearchState, decode_loop.Usage]:
  """Draws until every group's round waits for its scores.

  For verifiers that read text, outside of the loop: `close_rounds` takes what
  they say.

  Args:
    weights: of the models.
    state: donate it, and it is updated in place.
    key: as for `search_chunk`.
    setup: the search.
    steps: at most this many passes.

  Returns:
    As `search_chunk`.

  Raises:
    errors.InputError: `steps` is below 1.
  """
  if steps < 1:
    raise errors.InputError(f"steps is {steps}; it must be at least 1")
  question_key = lineage.question_keys(key, state.question.uid)

  def go_on(carry: _Carry) -> chex.Array:
    state, usage = carry
    return (usage.steps < steps) & at_work(state).any()

  def step(carry: _Carry) -> _Carry:
    state, usage = carry
    usage = _one_more(state, usage)
    return _draw(weights, state, question_key, setup), usage

  usage = decode_loop.Usage(steps=jnp.int32(0), row_steps=jnp.int32(0))
  return jax.lax.while_loop(go_on, step, (state, usage))


def close_rounds(
  state: states.SearchState,
  score: chex.Array,
  scored: chex.Array,
  *,
  setup: setups.Setup,
) -> states.SearchState:
  """Closes the rounds of groups in which no row moves.

  Args:
    state: as `draw_chunk` gives it; donate it.
    score: [G, N] float32, of each row's last step.
    scored: [G, N] bool, the rows that have a score: those that drew a step.
    setup: the search.
  """
  beams = state.progress.beams
  at = recording.places(
    scored, beams.step_count - 1, beams.step_score.shape[-1]
  )
  put = beams.step_score.at[at].set(score, mode="drop")
  beams = dataclasses.replace(beams, step_score=put)
  progress = dataclasses.replace(state.progress, beams=beams)
  return _close_rounds(dataclasses.replace(state, progress=progress), setup)


def _search_while(
  go_on: Callable[[_Carry], chex.Array],
  weights: setups.Weights,
  state: states.SearchState,
  key: chex.PRNGKey,
  setup: setups.Setup,
) -> _Carry:
  question_key = lineage.question_keys(key, state.question.uid)

  def step(carry: _Carry) -> _Carry:
    state, usage = carry
    usage = _one_more(state, usage)
    state = _draw(weights, state, question_key, setup)
    return _close_rounds(state, setup), usage

  usage = decode_loop.Usage(steps=jnp.int32(0), row_steps=jnp.int32(0))
  return jax.lax.while_loop(go_on, step, (state, usage))


def _one_more(
  state: states.SearchState, usage: decode_loop.Usage
) -> decode_loop.Usage:
  return decode_loop.Usage(
    steps=usage.steps + 1,
    row_steps=usage.row_steps + _moving(state).sum(dtype=jnp.int32),
  )


def at_work(state: states.SearchState) -> chex.Array:
  """[G, N], rows of questions that are not done which take a token."""
  return _moving(state) & state.progress.working[:, None]


def _moving(state: states.SearchState) -> chex.Array:
  """[G, N], rows that take a token in a pass."""
  progress = state.progress
  if progress.rollout is None:
    return progress.drawing
  return progress.drawing | progress.rollout.rolling


def _draw(
  weights: setups.Weights,
  state: states.SearchState,
  question_key: chex.PRNGKey,  # [G]
  setup: setups.Setup,
) -> states.SearchState:
  """One pass: a token in every row that moves, and the scores of steps."""
  question, progress = state.question, state.progress
  beams, drawing, moving = progress.beams, progress.drawing, _moving(state)
  held = cache.mark(state.caches)
  rows, verifier_rows = state.caches
  output, rows = setup.lm.decode(
    weights.lm, question.prompt_state, rows, beams.token
  )
  row_key = lineage.sample_keys(question_key, progress.lineage)
  token = setup.sampler.sample(
    output.logits, lineage.draw(row_key, beams.length)
  )
  if progress.rollout is not None:
    ahead = sampling.Greedy().sample(output.logits, jnp.zeros(token.shape))
    token = jnp.where(progress.rollout.rolling, ahead, token)
  logprob = output.logprob(token)
  logit, verifier_rows = setup.verifier.decode(
    weights.verifier,
    question.verifier_state,
    verifier_rows,
    beams.token,
    output,
    token,
    logprob,
  )
  caches = cache.restore((rows, verifier_rows), held, ~moving)
  token = jnp.where(moving, token, beams.token)
  beams = recording.record(beams, token, logprob, drawing, setup)
  delimited, partial = setup.delimits(token, beams.partial)
  where = functools.partial(jnp.where, drawing)
  beams = dataclasses.replace(
    beams, partial=jax.tree.map(where, partial, beams.partial)
  )
  if progress.rollout is not None:
    beams = recording.record_ahead(beams, token, progress.rollout)

  full = beams.length >= setup.limits.max_tokens
  step_over = (
    delimited
    | setup.over_length(beams.length - progress.begun)
    | beams.finished
    | full
  )
  ended = drawing & step_over
  scored, rollout = ended, progress.rollout
  if rollout is not None:
    begins = ended & ~beams.finished & ~full
    room = setup.limits.max_tokens - beams.length
    rollout, caches, token, stops = lookahead.advance(
      rollout,
      caches,
      token,
      begins=begins,
      partial=beams.partial,
      room=room,
      setup=setup,
    )
    scored = (ended & ~begins) | stops
  beams = dataclasses.replace(
    recording.score(beams, jax.nn.sigmoid(logit), scored), token=token
  )
  progress = dataclasses.replace(
    progress, beams=beams, rollout=rollout, drawing=drawing & ~ended
  )
  return dataclasses.replace(state, caches=caches, progress=progress)


def _close_rounds(
  state: states.SearchState, setup: setups.Setup
) -> states.SearchState:
  """Selects in the groups of which no row moves any more."""
  progress = state.progress
  beams, alive = progress.beams, progress.alive
  G, N = alive.shape
  row = jnp.broadcast_to(jnp.arange(N, dtype=jnp.int32), (G, N))
  ready = progress.working & ~_moving(state).any(-1)
  capped = ~beams.finished & (beams.length >= setup.limits.max_tokens)
  live = alive & ~beams.finished & ~capped
  # Of the last round, and of one after which nothing can go on, all are finals.
  goes_on = ready & live.any(-1) & (progress.round + 1 < setup.max_rounds)

  def choose() -> tuple[chex.Array, chex.Array, chex.Array]:
    def one(*fields: chex.Array) -> chex.Array:
      rounds = setup.rounds
      return selection.select(*fields, trees=rounds.trees, width=rounds.width)

    score = jax.vmap(setup.aggregate)(beams.step_score, beams.step_count)
    parents = jax.vmap(one)(score, alive, beams.finished, capped)
    unknown = jnp.isnan(score) | jnp.isnan(beams.token_logprob).any(-1)
    broken = ready & (alive & unknown).any(-1)
    return jnp.where(goes_on[:, None], parents, row), score, broken

  def wait() -> tuple[chex.Array, chex.Array, chex.Array]:
    return row, jnp.zeros((G, N), jnp.float32), jnp.zeros(G, bool)

  parents, score, broken = jax.lax.cond(ready.any(), choose, wait)
  progress = _write_round(progress, parents, score, ready, goes_on)
  # Outside the condition, whose branches might copy the caches; where nothing
  # moves it takes no time.
  caches, beams = cache.copy_rows(
    (state.caches, beams),
    jnp.where(parents < 0, row, parents),
    shards=setup.shards,
  )
  refilled = (parents != row) & (parents >= 0)
  alive &= parents >= 0
  live = alive & ~beams.finished & (beams.length < setup.limits.max_tokens)
  opens = goes_on[:, None]
  drawing = jnp.where(opens, live, progress.drawing)
  opened = progress.round + ready
  progress = dataclasses.replace(
    progress,
    working=progress.working & ~(ready & ~drawing.any(-1)),
    broken=progress.broken | broken,
    round=opened,
    alive=alive,
    drawing=drawing,
    # A number that no row had before: draws of rows that were cut, and those
    # of the parent, are never used again.
    lineage=jnp.where(refilled, opened[:, None] * N + row, progress.lineage),
    begun=jnp.where(opens, beams.length, progress.begun),
    beams=beams,
  )
  return dataclasses.replace(state, caches=caches, progress=progress)


def _write_round(
  progress: states.Progress,
  parents: chex.Array,
  score: chex.Array,
  ready: chex.Array,
  goes_on: chex.Array,
) -> states.Progress:
  """Keeps what the ledger and the trace need of rounds that close."""
  beams = progress.beams
  G, R, N = progress.parent.shape
  group = jnp.arange(G)
  this = group, jnp.where(ready, progress.round, R)
  following = group, jnp.where(goes_on, progress.round + 1, R)
  drawn = beams.length - progress.begun
  trace = progress.trace
  if trace is not None:
    now: dict[str, Any] = {
      "end": beams.length,
      "score": score,
      "kept": progress.alive & (parents == jnp.arange(N)),
      "exists": drawn > 0,
      "finished": beams.finished,
      "tokens": beams.tokens,
    }
    trace = dataclasses.replace(
      trace,
      **{
        name: getattr(trace, name).at[this].set(value, mode="drop")
        for name, value in now.items()
      },
    )
  return dataclasses.replace(
    progress,
    parent=progress.parent.at[following].set(parents, mode="drop"),
    drawn=progress.drawn.at[this].set(drawn, mode="drop"),
    trace=trace,
  )
