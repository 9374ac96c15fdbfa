"""What a search carries from token to token, and how questions enter it.

`G` is the number of questions at work at once, each a group of `N` rows; `R` is
the number of rounds, which is also the most steps that a candidate can have.
"""

import dataclasses
from typing import Any

import chex
import flax.struct
import jax
import jax.numpy as jnp

from tts_jax import errors, types
from tts_jax.decode import loop
from tts_jax.model import cache
from tts_jax.search import results
from tts_jax.search import setup as setups


@flax.struct.dataclass(kw_only=True)
class Question:
  """What the models have read of each question.

  Attributes:
    prompt_state: the model's, leading axis G.
    verifier_state: the verifier's, leading axis G.
    last_token: [G] int32, the prompt's last token, which starts each row.
    uid: [G] uint32.
    length: [G] int32, tokens of the prompt.
  """

  prompt_state: Any
  verifier_state: Any
  last_token: chex.Array
  uid: chex.Array
  length: chex.Array


@flax.struct.dataclass(kw_only=True)
class Beams:
  """Each row's candidate: what a copy of the row takes with it.

  Attributes:
    token: [G, N] int32, which the row reads next.
    tokens: [G, N, T] int32, drawn so far.
    token_logprob: [G, N, T] float32.
    length: [G, N] int32, how many.
    finished: [G, N] bool, the last one is the end token.
    step_end: [G, N, R] int32, tokens drawn when each step ended.
    step_score: [G, N, R] float32, the verifier's, in [0, 1].
    step_count: [G, N] int32, steps that have been scored.
    partial: [G, N] int32, how much of a delimiter the text ends with; None
      where one token tells.
  """

  token: chex.Array
  tokens: chex.Array
  token_logprob: chex.Array
  length: chex.Array
  finished: chex.Array
  step_end: chex.Array
  step_score: chex.Array
  step_count: chex.Array
  partial: chex.Array | None


@flax.struct.dataclass(kw_only=True)
class Rollout:
  """Rows that look ahead, and how they find back.

  Attributes:
    rolling: [G, N] bool.
    marked: what `cache.mark` gave of the caches at the step's end.
    token: [G, N] int32, what the row was to read next then.
    tokens: [G, N] int32, rolled ahead since.
    step_tokens: [G, N] int32, those of them in the step begun last.
    partial: [G, N] int32, as of `Beams`, of the text rolled ahead.
    steps: [G, N] int32, whole steps rolled ahead.
    spent: [G] int32, tokens rolled ahead in all rows and rounds.
  """

  rolling: chex.Array
  marked: Any
  token: chex.Array
  tokens: chex.Array
  step_tokens: chex.Array
  partial: chex.Array | None
  steps: chex.Array
  spent: chex.Array


@flax.struct.dataclass(kw_only=True)
class Progress:
  """Where each question's search stands.

  Attributes:
    working: [G] bool, the question is not done.
    broken: [G] bool, a score of a candidate was NaN, or a log-probability of
      its tokens. It may be cut long before the end.
    round: [G] int32, rounds closed.
    alive: [G, N] bool, the row holds a candidate.
    drawing: [G, N] bool, it is drawing the round's step. The others wait.
    lineage: [G, N] int32, with the token's index what its draws depend on.
    begun: [G, N] int32, the row's length when the round began.
    beams: the candidates.
    rollout: None where the search does not look ahead.
    parent: [G, R, N] int32, the row of the round before that each row of a
      round continues; itself in the first and in rounds never begun.
    drawn: [G, R, N] int32, tokens that each row drew in each round.
    trace: None where it is not asked for.
  """

  working: chex.Array
  broken: chex.Array
  round: chex.Array
  alive: chex.Array
  drawing: chex.Array
  lineage: chex.Array
  begun: chex.Array
  beams: Beams
  rollout: Rollout | None
  parent: chex.Array
  drawn: chex.Array
  trace: results.Trace | None


@flax.struct.dataclass(kw_only=True)
class SearchState:
  """Everything that the loop carries.

  Attributes:
    question: read once, when the question is admitted.
    caches: rows [G, N] of the model and of the verifier, in this order.
    progress: the search.
  """

  question: Question
  caches: tuple[cache.RowCache, Any]
  progress: Progress


def read(
  weights: setups.Weights, prompts: types.Prompts, *, setup: setups.Setup
) -> Question:
  """Reads prompts, once each."""
  output, prompt_state = setup.lm.prefill(weights.lm, prompts)
  last = prompts.length[:, None] - 1
  return Question(
    prompt_state=prompt_state,
    verifier_state=setup.verifier.prefill(weights.verifier, prompts, output),
    last_token=jnp.take_along_axis(prompts.tokens, last, axis=1)[:, 0],
    uid=prompts.uid,
    length=prompts.length,
  )


def begin(question: Question, *, setup: setups.Setup) -> SearchState:
  """The state of questions that have been read: nothing is drawn yet."""
  caches = _caches(question.uid.shape[0], setup)
  return SearchState(
    question=question,
    caches=caches,
    progress=_start(question.last_token, cache.mark(caches), setup),
  )


def init_state(
  weights: setups.Weights,
  *,
  setup: setups.Setup,
  groups: int,
  prompt_tokens: int,
) -> SearchState:
  """A state without questions.

  Args:
    weights: only their shapes are read.
    setup: the search.
    groups: G.
    prompt_tokens: P, the longest prompt.

  Raises:
    errors.InputError: a size is below 1.
  """
  for name, size in (("groups", groups), ("prompt_tokens", prompt_tokens)):
    if size < 1:
      raise errors.InputError(f"{name} is {size}; it must be at least 1")
  question = jax.tree.map(
    lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
    jax.eval_shape(
      lambda weights, prompts: read(weights, prompts, setup=setup),
      weights,
      loop.prompt_shapes(groups, prompt_tokens),
    ),
  )
  state = begin(question, setup=setup)
  progress = dataclasses.replace(
    state.progress,
    working=jnp.zeros_like(state.progress.working),
    drawing=jnp.zeros_like(state.progress.drawing),
  )
  return dataclasses.replace(state, progress=progress)


def admit(
  weights: setups.Weights,
  state: SearchState,
  group: chex.Array,
  prompt: types.Prompts,
  *,
  setup: setups.Setup,
) -> SearchState:
  """Puts a question into a group, over whatever the group held.

  Args:
    weights: of the models.
    state: donate it, and it is updated in place.
    group: [] int32, which group; not static, so all share one trace.
    prompt: one question, [1, P] with the P of `init_state`.
    setup: the search.
  """
  chex.assert_shape(prompt.tokens, (1, None))

  def put(whole: chex.Array, one: chex.Array) -> chex.Array:
    one = one.astype(whole.dtype)
    return jax.lax.dynamic_update_slice_in_dim(whole, one, group, axis=0)

  one = begin(read(weights, prompt, setup=setup), setup=setup)
  shape = state.progress.alive.shape
  here = jnp.arange(shape[0])[:, None] == group
  return SearchState(
    question=jax.tree.map(put, state.question, one.question),
    # Only lengths are written: keys and values beyond them may be anything.
    caches=cache.restore(
      state.caches, cache.mark(one.caches), jnp.broadcast_to(here, shape)
    ),
    progress=jax.tree.map(put, state.progress, one.progress),
  )


def _caches(questions: int, setup: setups.Setup) -> tuple[cache.RowCache, Any]:
  shape = (questions, setup.rounds.n, setup.limits.max_tokens)
  return setup.lm.init_rows(*shape), setup.verifier.init_rows(*shape)


def _start(
  last_token: chex.Array, marked: Any, setup: setups.Setup
) -> Progress:
  """All rows about to draw their first token."""
  G, N = last_token.shape[0], setup.rounds.n
  T, R = setup.limits.max_tokens, setup.max_rounds

  # Each leaf is an array of its own: none may be donated twice.
  def zero() -> chex.Array:
    return jnp.zeros((G, N), jnp.int32)

  def all_are(value: bool) -> chex.Array:
    return jnp.full((G, N), value)

  row = jnp.arange(N, dtype=jnp.int32)
  rollout = None
  if setup.rounds.depth:
    rollout = Rollout(
      rolling=all_are(False),
      marked=jax.tree.map(jnp.copy, marked),
      token=zero(),
      tokens=zero(),
      step_tokens=zero(),
      partial=setup.begin_text((G, N)),
      steps=zero(),
      spent=jnp.zeros(G, jnp.int32),
    )
  return Progress(
    working=jnp.ones(G, bool),
    broken=jnp.zeros(G, bool),
    round=jnp.zeros(G, jnp.int32),
    alive=all_are(True),
    drawing=all_are(True),
    lineage=jnp.broadcast_to(row, (G, N)),
    begun=zero(),
    beams=Beams(
      token=jnp.broadcast_to(last_token[:, None], (G, N)),
      tokens=jnp.zeros((G, N, T), jnp.int32),
      token_logprob=jnp.zeros((G, N, T), jnp.float32),
      length=zero(),
      finished=all_are(False),
      step_end=jnp.zeros((G, N, R), jnp.int32),
      step_score=jnp.zeros((G, N, R), jnp.float32),
      step_count=zero(),
      partial=setup.begin_text((G, N)),
    ),
    rollout=rollout,
    parent=jnp.broadcast_to(row, (G, R, N)),
    drawn=jnp.zeros((G, R, N), jnp.int32),
    trace=results.no_rounds(G, R, N, T) if setup.trace else None,
  )
