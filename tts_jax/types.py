"""The data that floors hand to each other.

Axis letters, here and everywhere: `Q` questions, `N` candidates of a question,
`T` completion tokens, `P` prompt tokens, `S` cache slots, `R` reasoning steps,
`L` layers, `K` key/value heads, `H` head width, `D` model width, `V`
vocabulary, `B` any batch.
"""

from typing import Any, Protocol

import chex
import flax.struct
import jax
import jax.numpy as jnp

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
    streams: [..., D] each, what every block read and what the last one gave,
      for heads that branch off; under `jit` those that nobody reads cost
      nothing.
  """

  logits: chex.Array
  hidden: chex.Array
  streams: tuple[chex.Array, ...] = ()

  def logprob(self, tokens: chex.Array) -> chex.Array:
    """Log-probability [...] of tokens [...], at temperature 1."""
    taken = jnp.take_along_axis(
      self.logits, tokens[..., None], axis=-1, mode="clip"
    )
    # Written as samplers weigh tokens, so that under `jit` both share a pass
    # over the vocabulary; `logsumexp` would make another.
    top = jax.lax.stop_gradient(self.logits.max(-1, keepdims=True))
    total = jnp.exp(self.logits - top).sum(-1)
    return (taken - top).squeeze(-1) - jnp.log(total)


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
  """Tokens of a method's run, per question: the ledger's entries.

  Attributes:
    generated: [Q] int32, tokens sampled for candidates, kept or cut.
    pruned: [Q] int32, those of them that are in no candidate at the end.
    lookahead: [Q] int32, tokens rolled ahead to score a step, and rolled back.
    prefilled: [Q] int32, prompt tokens that the model read.
    scored: [Q] int32, tokens that a verifier with a backbone of its own read.
      A verifier on the shared backbone reads what the model computes anyway.
  """

  generated: chex.Array
  pruned: chex.Array
  lookahead: chex.Array
  prefilled: chex.Array
  scored: chex.Array


class LanguageModel(Protocol):
  """All that sampling and search know of a model.

  What `prefill` gives for state is a `model.cache.PromptState`, and what
  `init_rows` and `decode` give for rows a `model.cache.RowCache`, which this
  lowest floor cannot import: sampling empties rows by `cache.reset`, search
  copies them by `cache.copy_rows` and takes tokens back by `cache.restore`.

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
    parents: chex.Array | None = None,  # [B, T]
    dropout_key: chex.PRNGKey | None = None,
  ) -> Output:
    """Reads whole sequences, causally: training and scoring.

    A token sees its own segment and, of the segment that its own continues
    (`parents`), all that stands before it in the row.
    """
    ...

  def prefill(self, params: Params, prompts: Prompts) -> tuple[Output, Any]:
    """Reads prompts: one state a question, of all tokens but the last.

    The output, [Q, P], is that of every prompt token; what the caller does not
    use is not computed under `jit`.
    """
    ...

  def extend(
    self,
    params: Params,
    prompt_state: Any,
    tokens: chex.Array,  # [Q, T]
  ) -> tuple[Output, Any]:
    """Reads T tokens after each prompt at once, the prompt's last one first.

    Logits [Q, T, V] and a `RowCache` of [Q, 1] rows that hold these tokens, as
    T calls of `decode` would have left them.
    """
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

    `prompt_state.length` may be [Q, N]: each row then sees so much of its
    prompt and no more. `rows` and the second result are each a `RowCache`.
    """
    ...


class Verifier(Protocol):
  """A process reward model that reads the pass which generates.

  At each decode step the model reads a row's last token and the next one is
  drawn. The verifier then reads the model's output for the former, the token
  drawn and its log-probability, and gives the logit of the chance that the
  solution comes out right, were its step to end with the token drawn. The score
  of a step is what it gives at the step's last token: no second pass is made.

  Rows are a tree whose leaves have leading axes [Q, N] and in which every KV
  cache is a `model.cache.RowCache`, so that the functions of `model.cache` copy
  and restore them. Implementations are frozen dataclasses, as of
  `LanguageModel`.
  """

  @property
  def reads_tokens(self) -> bool:
    """Whether it has a backbone of its own, whose tokens the ledger counts."""
    ...

  def init(self, key: chex.PRNGKey) -> Params:
    """Draws parameters; `key` is consumed."""
    ...

  def forward(
    self,
    params: Params,
    tokens: chex.Array,  # [B, T], read by the model
    output: Output,  # hidden [B, T, D], the model's for these tokens
    drawn: chex.Array,  # [B, T], what follows each token
    logprob: chex.Array,  # [B, T], of what follows; 0 inside the prompt
    *,
    positions: chex.Array,  # [B, T]
    segments: chex.Array,  # [B, T]
    parents: chex.Array,  # [B, T]
    dropout_key: chex.PRNGKey | None = None,
  ) -> chex.Array:
    """Logits [B, T] of whole sequences: training and scoring.

    A prompt is a segment, of all its tokens but the last; each completion is
    one that continues it and begins with the prompt's last token, as rows do.
    """
    ...

  def prefill(self, params: Params, prompts: Prompts, output: Output) -> Any:
    """Reads each prompt; `output` is that of the model's `prefill`."""
    ...

  def init_rows(self, questions: int, rows: int, slots: int) -> Any:
    """Rows [Q, N] that have read nothing, `slots` tokens of room in each."""
    ...

  def decode(
    self,
    params: Params,
    prompt_state: Any,
    rows: Any,
    tokens: chex.Array,  # [Q, N], read by the model
    output: Output,  # hidden [Q, N, D], the model's for these tokens
    drawn: chex.Array,  # [Q, N]
    logprob: chex.Array,  # [Q, N]
  ) -> tuple[chex.Array, Any]:
    """One step of every row: logits [Q, N] and the rows, one token longer."""
    ...
