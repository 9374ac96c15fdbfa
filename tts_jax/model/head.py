"""The reward head: what a verifier computes above a backbone's states.

It reads, for each token that is drawn, the state that predicted it, the token
and its log-probability. Blocks of attention, if it has any, read on above the
backbone: their keys and values are a small cache beside the backbone's. They
may predict the token a second time: trained on worked solutions, the head then
knows better than the generator which tokens are surprising, and a solution's
surprise is what tells right from wrong.

A head above the whole backbone predicts by correcting the generator's logits.
It learns to trust them, and errs where the generator errs. One that branches
off below the backbone's last blocks has an opinion of its own.
"""

import dataclasses
from collections.abc import Callable

import chex
import flax.struct
import jax
import jax.numpy as jnp
from flax import linen as nn

from tts_jax import errors, types
from tts_jax.model import attending, attention, cache, config, transformer

# Log-probabilities are read in units of this many nats, cut at `_DEEPEST`.
_NATS = 4.0
_DEEPEST = -40.0


@dataclasses.dataclass(frozen=True)
class HeadConfig:
  """Shape of a reward head.

  Attributes:
    input_width: D, width of the states that it reads.
    vocabulary: V.
    width: of what the head computes with.
    blocks: shape of the attention blocks above the states, `width` wide; None:
      there are none.
    token_width: width of the embedding of tokens.
    mlp_width: of the hidden layer that gives the logit.
    delimiters: tokens that end a step.
    predicts: the blocks predict each drawn token too.
    tap: the head branches off the backbone below this block, of 0 ... L - 1, or
      above the last one, L, and predicts alone; None: it reads the final
      states.
    answer_end: the token that ends an answer, of sequences of several: what
      surprised in those before does not count; None: they are of one.

  Raises:
    errors.InputError: a size is below 1; the blocks are of another width.
  """

  input_width: int
  vocabulary: int
  width: int
  token_width: int
  mlp_width: int
  delimiters: tuple[int, ...]
  blocks: config.TransformerConfig | None = None
  predicts: bool = False
  tap: int | None = None
  answer_end: int | None = None

  def __post_init__(self) -> None:
    sizes = ("input_width", "vocabulary", "width", "token_width", "mlp_width")
    for name in sizes:
      if getattr(self, name) < 1:
        raise errors.InputError(
          f"head {name} is {getattr(self, name)}; it must be at least 1"
        )
    if self.blocks is not None and self.blocks.width != self.width:
      raise errors.InputError(
        f"head blocks.width is {self.blocks.width}; it must be the head's"
        f" width, {self.width}"
      )
    if self.tap is not None and self.tap < 0:
      raise errors.InputError(
        f"head tap is {self.tap}; it must be the number of a block, from 0"
      )


@flax.struct.dataclass(kw_only=True)
class Surprise:
  """Log-probabilities met so far, in nats; all at most 0.

  `C` opinions: the generator's, and the head's own if it predicts.

  Attributes:
    total: [..., C] float32, sum over the completion.
    least: [..., C] float32, the least of the completion.
    step_total: [..., C] float32, sum over the step.
    step_least: [..., C] float32, the least of the step.
  """

  total: chex.Array
  least: chex.Array
  step_total: chex.Array
  step_least: chex.Array


def no_surprise(shape: tuple[int, ...]) -> Surprise:
  """What stands before the first token."""
  # An array for each field: one that four share could not be donated.
  total, least, step_total, step_least = (
    jnp.zeros(shape, jnp.float32) for _ in range(4)
  )
  return Surprise(
    total=total, least=least, step_total=step_total, step_least=step_least
  )


def surprise_after(before: Surprise, logprob: chex.Array) -> Surprise:
  """With one more token, of log-probability [..., C], in the same step."""
  return Surprise(
    total=before.total + logprob,
    least=jnp.minimum(before.least, logprob),
    step_total=before.step_total + logprob,
    step_least=jnp.minimum(before.step_least, logprob),
  )


def step_over(surprise: Surprise, ended: chex.Array) -> Surprise:
  """Where `ended` [...] is true, the next token begins a step."""
  ended = ended[..., None]
  return surprise.replace(  # type: ignore[attr-defined]
    step_total=jnp.where(ended, 0.0, surprise.step_total),
    step_least=jnp.where(ended, 0.0, surprise.step_least),
  )


def surprise_along(
  logprob: chex.Array, ended: chex.Array, begins: chex.Array
) -> Surprise:
  """The same of whole sequences, by the same two functions.

  Args:
    logprob: [B, T, C] float32.
    ended: [B, T] bool, the token is the last of its step.
    begins: [B, T] bool, the token is the first of its segment.

  Returns:
    Fields [B, T, C], each token's own log-probability counted in.
  """

  def advance(
    before: Surprise, token: tuple[chex.Array, chex.Array, chex.Array]
  ) -> tuple[Surprise, Surprise]:
    logprob, ended, begins = token
    fresh = begins[..., None]
    before = jax.tree.map(lambda x: jnp.where(fresh, 0.0, x), before)
    after = surprise_after(before, logprob)
    return step_over(after, ended), after

  def swap(x: chex.Array) -> chex.Array:
    return x.swapaxes(0, 1)

  along_time = jax.tree.map(swap, (logprob, ended, begins))
  start = no_surprise(along_time[0].shape[1:])
  _, after = jax.lax.scan(advance, start, along_time)
  return jax.tree.map(swap, after)


@flax.struct.dataclass(kw_only=True)
class Reading:
  """What a head makes of drawn tokens.

  Attributes:
    logit: [...] float32, of the chance that the solution comes out right, were
      its step to end here.
    opinion: [...] float32, the log-probability of the drawn token in the head's
      own opinion; the generator's where the head has none.
    surprise: so far, this token included, fields [..., C].
  """

  logit: chex.Array
  opinion: chex.Array
  surprise: Surprise


# From log-probabilities [..., C] of drawn tokens to what they add up to.
Accumulate = Callable[[chex.Array], Surprise]


class Head(nn.Module):
  """From states, tokens and log-probabilities to logits."""

  config: HeadConfig

  @nn.compact
  def __call__(
    self,
    tokens: chex.Array,  # [...]
    output: types.Output,  # of the backbone at `tokens`
    drawn: chex.Array,  # [...]
    logprob: chex.Array,  # [...]
    positions: chex.Array,  # broadcasts to [...]
    attend: attending.Attend,
    accumulate: Accumulate,
    dropout_key: chex.PRNGKey | None = None,
  ) -> tuple[Reading, tuple[tuple[chex.Array, chex.Array], ...]]:
    """The reading [...], and what each block's attention kept."""
    cfg, blocks = self.config, self.config.blocks
    embedding = nn.Embed(cfg.vocabulary, cfg.token_width, name="embedding")
    states = output.hidden if cfg.tap is None else output.streams[cfg.tap]
    x = nn.Dense(cfg.width, name="states")(states.astype(jnp.float32))
    kept = []
    if blocks is not None:
      x += nn.Dense(cfg.width, use_bias=False, name="read")(embedding(tokens))
      tables = attention.rotary_tables(blocks, positions)
      for layer in range(blocks.layers):
        key = dropout_key
        if key is not None:
          key = jax.random.fold_in(key, layer)
        block = transformer.Block(blocks, layer, name=f"layer_{layer}")
        x, keep = block(x, tables[layer], attend, key)
        kept.append(keep)
    x = nn.RMSNorm(epsilon=1e-5, name="final_norm")(x)

    opinions = [logprob]
    if cfg.predicts:
      logits = nn.Dense(
        cfg.vocabulary,
        use_bias=False,
        kernel_init=nn.initializers.zeros,
        name="prediction",
      )(x)
      if cfg.tap is None:
        logits += output.logits
      second = dataclasses.replace(output, logits=logits)
      opinions.append(second.logprob(drawn))
    # What surprises is learned from worked solutions, not from labels; and the
    # gradient of the running sums would cost more than all the rest.
    seen = jax.lax.stop_gradient(jnp.stack(opinions, -1))
    surprise = accumulate(seen)
    sums = [seen, surprise.total, surprise.least]
    sums += [surprise.step_total, surprise.step_least]
    nats = jnp.clip(jnp.concatenate(sums, -1), _DEEPEST, 0.0)
    x = jnp.concatenate([x, embedding(drawn), nats / _NATS, jnp.exp(nats)], -1)
    x = jax.nn.silu(nn.Dense(cfg.mlp_width, name="mlp")(x))
    reading = Reading(
      logit=nn.Dense(1, name="logit")(x).squeeze(-1),
      opinion=opinions[-1],
      surprise=surprise,
    )
    return reading, tuple(kept)


def init_cache(
  blocks: config.TransformerConfig | None, questions: int, rows: int, slots: int
) -> cache.RowCache:
  """An empty cache of the blocks' keys and values; lengths alone without."""
  if blocks is None:
    return cache.init(questions, rows, slots)
  return cache.init(
    questions,
    rows,
    slots,
    layers=blocks.layers,
    kv_heads=blocks.kv_heads,
    head_width=blocks.head_width,
    dtype=blocks.attends_in,
  )
