"""A language model and a verifier of ten lines, for tests and for teaching."""

import dataclasses

import chex
import flax.struct
import jax
import jax.numpy as jnp

from tts_jax import types
from tts_jax.model import cache


@dataclasses.dataclass(frozen=True)
class TableModel:
  """The next token's logits depend on the last token alone.

  The table is at once the parameters (`init` returns it as an array), so the
  functions that take a transformer take this, and what they should yield is
  known in closed form.

  Attributes:
    table: V rows of V logits: row i is what follows token i.
  """

  table: tuple[tuple[float, ...], ...]

  @property
  def vocabulary(self) -> int:
    """V, the number of tokens."""
    return len(self.table)

  def init(self, key: chex.PRNGKey) -> types.Params:
    """The table, [V, V] float32; `key` is not used."""
    del key
    return {"table": jnp.asarray(self.table, jnp.float32)}

  def _read(self, params: types.Params, tokens: chex.Array) -> types.Output:
    hidden = jax.nn.one_hot(tokens, self.vocabulary)
    return types.Output(logits=params["table"][tokens], hidden=hidden)

  def forward(
    self,
    params: types.Params,
    tokens: chex.Array,
    *,
    positions: chex.Array | None = None,
    segments: chex.Array | None = None,
    parents: chex.Array | None = None,
    dropout_key: chex.PRNGKey | None = None,
  ) -> types.Output:
    """Logits [B, T, V]; hidden is the token, one-hot [B, T, V]."""
    del positions, segments, parents, dropout_key
    return self._read(params, tokens)

  def prefill(
    self, params: types.Params, prompts: types.Prompts
  ) -> tuple[types.Output, cache.PromptState]:
    """Logits [Q, P, V], and lengths: there is nothing else to remember."""
    state = cache.PromptState(keys=(), values=(), length=prompts.length - 1)
    return self._read(params, prompts.tokens), state

  def extend(
    self,
    params: types.Params,
    prompt_state: cache.PromptState,
    tokens: chex.Array,
  ) -> tuple[types.Output, cache.RowCache]:
    """Logits [Q, T, V] after `tokens` [Q, T]; rows [Q, 1] that hold them."""
    del prompt_state
    length = jnp.full((len(tokens), 1), tokens.shape[1], jnp.int32)
    rows = cache.RowCache(keys=(), values=(), length=length)
    return self._read(params, tokens), rows

  def init_rows(self, questions: int, rows: int, slots: int) -> cache.RowCache:
    """Rows [Q, N] of length 0."""
    return cache.init(questions, rows, slots)

  def decode(
    self,
    params: types.Params,
    prompt_state: cache.PromptState,
    rows: cache.RowCache,
    tokens: chex.Array,
  ) -> tuple[types.Output, cache.RowCache]:
    """Logits [Q, N, V] after `tokens` [Q, N]; every row one token longer."""
    del prompt_state
    return self._read(params, tokens), cache.advance(rows)


@flax.struct.dataclass(kw_only=True)
class VerifierRows:
  """What the table verifier keeps of each row.

  Attributes:
    total: [Q, N] float32, half of what it was before, plus the latest entry.
    cache: lengths alone, as those of a verifier with attention.
  """

  total: chex.Array
  cache: cache.RowCache


@dataclasses.dataclass(frozen=True)
class TableVerifier:
  """A step's logit is a fading sum over the tokens drawn so far.

  Each token adds the entry of (token before it, token); all that was there
  before counts half. The prompt adds the entry of its first token with itself.
  A row copied or restored wrongly shows in every score that follows.

  Attributes:
    table: V rows of V entries.
    reads_tokens: what it says of itself, for the ledger.
  """

  table: tuple[tuple[float, ...], ...]
  reads_tokens: bool = False

  def init(self, key: chex.PRNGKey) -> types.Params:
    """The table, [V, V] float32; `key` is not used."""
    del key
    return {"table": jnp.asarray(self.table, jnp.float32)}

  def forward(
    self,
    params: types.Params,
    tokens: chex.Array,
    output: types.Output,
    drawn: chex.Array,
    logprob: chex.Array,
    *,
    in_prompt: chex.Array,
    dropout_key: chex.PRNGKey | None = None,
  ) -> chex.Array:
    """Logits [B, T] of whole sequences."""
    del output, logprob, dropout_key
    entry = params["table"][tokens, drawn]

    def fade(
      total: chex.Array, one: tuple[chex.Array, chex.Array]
    ) -> tuple[chex.Array, chex.Array]:
      total = jnp.where(one[1], 0.0, 0.5 * total + one[0])
      return total, total

    _, totals = jax.lax.scan(
      fade, jnp.zeros(tokens.shape[0]), (entry.T, in_prompt.T)
    )
    first = tokens[:, 0]
    return params["table"][first, first][:, None] + totals.T

  def prefill(
    self, params: types.Params, prompts: types.Prompts, output: types.Output
  ) -> chex.Array:
    """[Q], what the prompt adds to every logit."""
    del output
    first = prompts.tokens[:, 0]
    return params["table"][first, first]

  def init_rows(self, questions: int, rows: int, slots: int) -> VerifierRows:
    """Rows [Q, N] that have read nothing."""
    return VerifierRows(
      total=jnp.zeros((questions, rows), jnp.float32),
      cache=cache.init(questions, rows, slots),
    )

  def decode(
    self,
    params: types.Params,
    prompt_state: chex.Array,
    rows: VerifierRows,
    tokens: chex.Array,
    output: types.Output,
    drawn: chex.Array,
    logprob: chex.Array,
  ) -> tuple[chex.Array, VerifierRows]:
    """Logits [Q, N] after the tokens drawn; every row one token longer."""
    del output, logprob
    total = 0.5 * rows.total + params["table"][tokens, drawn]
    following = VerifierRows(total=total, cache=cache.advance(rows.cache))
    return prompt_state[:, None] + total, following
