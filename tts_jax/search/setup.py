"""All of a search that is no array: models, strategy, and where steps end."""

import dataclasses
from collections.abc import Callable

import chex
import flax.struct
import jax.numpy as jnp

from tts_jax import errors, types
from tts_jax.decode import loop, matching, sampling
from tts_jax.search import strategies
from tts_jax.tasks import automaton
from tts_jax.verify import choosing

# (step_score [N, R], step_count [N]) -> [N], a score for each candidate.
Aggregate = Callable[[chex.Array, chex.Array], chex.Array]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
  """A search's settings: a static argument under `jit`.

  Attributes:
    lm: the model that draws.
    verifier: the model that scores.
    strategy: which search.
    sampler: draws tokens.
    limits: of a solution, whatever its steps.
    delimiters: tokens that end a step, or a rule where one token does not tell;
      they belong to the step that they end.
    step_tokens: a step of so many tokens ends without one; None never does.
    aggregate: what ranks candidates, from the scores of their steps.
    trace: whether the result holds every round, for a picture of the tree.
    shards: devices over which questions are split, as `cache.copy_rows` takes
      them.

  Raises:
    errors.InputError: a delimiter is no token of the model, or `step_tokens` is
      below 1.
  """

  lm: types.LanguageModel
  verifier: types.Verifier
  strategy: strategies.Strategy
  sampler: sampling.Sampler
  limits: loop.Limits
  delimiters: automaton.Delimiters
  step_tokens: int | None = None
  aggregate: Aggregate = choosing.last
  trace: bool = False
  shards: int = 1

  def __post_init__(self) -> None:
    for token in sorted(automaton.containing(self.delimiters)):
      if not 0 <= token < self.lm.vocabulary:
        raise errors.InputError(
          f"delimiters has token {token}; the model's tokens are 0 to "
          f"{self.lm.vocabulary - 1}"
        )
    if self.step_tokens is not None and self.step_tokens < 1:
      raise errors.InputError(
        f"step_tokens is {self.step_tokens}; it must be at least 1"
      )

  @property
  def rounds(self) -> strategies.Rounds:
    """The strategy as the loop takes it."""
    return self.strategy.rounds

  @property
  def max_rounds(self) -> int:
    """R: a round has a token at least, so there are no more than T."""
    most = self.limits.max_tokens
    return min(self.rounds.max_rounds or most, most)

  def begin_text(self, rows: tuple[int, ...]) -> chex.Array | None:
    """What rows know of a delimiter before a text, for `delimits`."""
    if isinstance(self.delimiters, automaton.Automaton):
      return jnp.zeros(rows, jnp.int32)
    return None

  def delimits(
    self, token: chex.Array, partial: chex.Array | None
  ) -> tuple[chex.Array, chex.Array | None]:
    """Whether each token ends a step: a look-up in a table.

    Args:
      token: [...] int32.
      partial: [...] int32, how much of a delimiter stands before it, as the
        rule counts; None where one token tells.

    Returns:
      (whether a step ends [...] bool, `partial` after the token).
    """
    if isinstance(self.delimiters, automaton.Automaton):
      assert partial is not None, "`begin_text` gives it"
      return matching.advance(self.delimiters, token, partial)
    is_delimiter = jnp.zeros(self.lm.vocabulary, bool)
    if self.delimiters:
      at = jnp.asarray(sorted(self.delimiters), jnp.int32)
      is_delimiter = is_delimiter.at[at].set(True)
    return is_delimiter[token], None

  def over_length(self, tokens: chex.Array) -> chex.Array:
    """Whether a step of so many tokens [...] is cut."""
    if self.step_tokens is None:
      return jnp.zeros(tokens.shape, bool)
    return tokens >= self.step_tokens


@flax.struct.dataclass(kw_only=True)
class Weights:
  """Parameters of the two models.

  Attributes:
    lm: of the model that draws.
    verifier: of the model that scores.
  """

  lm: types.Params
  verifier: types.Params
