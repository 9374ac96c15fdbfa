"""The data that floors hand to each other.

Axis letters, here and everywhere: `Q` questions, `N` candidates of a question,
`T` completion tokens, `P` prompt tokens, `S` cache slots, `R` reasoning steps,
`L` layers, `K` key/value heads, `H` head width, `D` model width, `V`
vocabulary, `B` any batch.
"""

from typing import Any, Protocol

import chex
import flax.struct

Params = Any


@flax.struct.dataclass(kw_only=True)
class Prompts:
  """A batch of prompts.

  Attributes:
    tokens: [Q, P] int32, right-padded with any token.
    length: [Q] int32, number of real tokens, at least 1.
    uid: [Q] uint32, stable id of the question; it seeds its randomness.
  """

  tokens: chex.Array
  length: chex.Array
  uid: chex.Array


@flax.struct.dataclass(kw_only=True)
class Output:
  """What a pass over tokens yields.

  Attributes:
    logits: [..., V] float32.
    hidden: [..., D], the state after the final norm, which heads read.
  """

  logits: chex.Array
  hidden: chex.Array


@flax.struct.dataclass(kw_only=True)
class Candidates:
  """Completions of a batch of questions.

  Attributes:
    tokens: [Q, N, T] int32, zero from `length` on. The end token, if reached,
      is the last one counted.
    length: [Q, N] int32, tokens generated.
    finished: [Q, N] bool, the end token was reached. False: cut at the limit.
    token_logprob: [Q, N, T] float32, the model's log-probability of each token
      at temperature 1, whatever the sampler; zero from `length` on.
  """

  tokens: chex.Array
  length: chex.Array
  finished: chex.Array
  token_logprob: chex.Array

  @property
  def logprob(self) -> chex.Array:
    """[Q, N], the log-probability of the whole completion."""
    return self.token_logprob.sum(-1)


@flax.struct.dataclass(kw_only=True)
class Cost:
  """Tokens put through a model, per question.

  Attributes:
    generated: [Q] int32, tokens sampled.
    prefilled: [Q] int32, prompt tokens read.
  """

  generated: chex.Array
  prefilled: chex.Array


class LanguageModel(Protocol):
  """All that sampling and search know of a model.

  What `init_rows` and `decode` give for rows is a `model.cache.RowCache`, which
  this lowest floor cannot import: sampling empties rows by `cache.reset`, and
  search copies them by `cache.gather`. A prompt state is the model's own; only
  its leading axis, Q, is known.

  Implementations are frozen dataclasses over their configuration: equal ones
  hash alike, so as a static argument under `jit` they never retrace.
  """

  @property
  def vocabulary(self) -> int:
    """V, the number of tokens."""
    ...

  def init(self, key: chex.PRNGKey) -> Params:
    """Draws parameters; `key` is consumed."""
    ...

  def forward(
    self,
    params: Params,
    tokens: chex.Array,  # [B, T]
    *,
    positions: chex.Array | None = None,  # [B, T]
    segments: chex.Array | None = None,  # [B, T]
    dropout_key: chex.PRNGKey | None = None,
  ) -> Output:
    """Reads whole sequences, causally: training and scoring."""
    ...

  def prefill(self, params: Params, prompts: Prompts) -> Any:
    """Reads each prompt but its last token: one prompt state a question."""
    ...

  def init_rows(self, questions: int, rows: int, slots: int) -> Any:
    """An empty `RowCache` of [Q, N] rows, `slots` tokens of room in each."""
    ...

  def decode(
    self,
    params: Params,
    prompt_state: Any,
    rows: Any,
    tokens: chex.Array,  # [Q, N]
  ) -> tuple[Output, Any]:
    """Appends one token to every row and reads it: logits [Q, N, V].

    `rows` and the second result are each a `RowCache`.
    """
    ...
