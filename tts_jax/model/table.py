"""A language model of ten lines, for tests and for teaching."""

import dataclasses

import chex
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
    dropout_key: chex.PRNGKey | None = None,
  ) -> types.Output:
    """Logits [B, T, V]; hidden is the token, one-hot [B, T, V]."""
    del positions, segments, dropout_key
    return self._read(params, tokens)

  def prefill(
    self, params: types.Params, prompts: types.Prompts
  ) -> cache.PromptState:
    """Lengths only: there is nothing to remember."""
    del params
    return cache.PromptState(keys=(), values=(), length=prompts.length - 1)

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
