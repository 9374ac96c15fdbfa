"""A process reward model on a backbone, as a `types.Verifier`.

One class for three regimes. *Frozen*: the head reads the generator's states.
*Joint*: the same, of a generator that was trained together with it. *Separate*:
the head reads the states of a second backbone with parameters and a cache of
its own, which reads each token as the generator does.
"""

import dataclasses
import functools
import math
from collections.abc import Iterable
from typing import Any

import chex
import flax.struct
import jax
import jax.numpy as jnp
from flax import linen as nn

from tts_jax import errors, types
from tts_jax.model import attending, cache, head, transformer


@flax.struct.dataclass(kw_only=True)
class PromptState:
  """What a verifier keeps of the prompts.

  Attributes:
    blocks: keys and values of the head's blocks.
    backbone: those of a second backbone, alike; None where there is none.
  """

  blocks: cache.PromptState
  backbone: Any


@flax.struct.dataclass(kw_only=True)
class Rows:
  """What a verifier keeps of the rows, [Q, N].

  Attributes:
    blocks: keys and values of the head's blocks.
    backbone: those of a second backbone, alike; None where there is none.
    surprise: log-probabilities so far, fields [Q, N, C].
  """

  blocks: cache.RowCache
  backbone: Any
  surprise: head.Surprise


@dataclasses.dataclass(frozen=True)
class RewardModel:
  """A reward head, on the generator's states or on a second backbone's.

  Parameters are {"head": ...}, with "backbone" beside it where there is one.

  Attributes:
    config: of the head.
    backbone: the second backbone; None reads the generator's states.

  Raises:
    InputError: the head does not fit the backbone's width, vocabulary or depth.
  """

  config: head.HeadConfig
  backbone: transformer.Transformer | None = None

  def __post_init__(self) -> None:
    if self.backbone is None:
      return
    shape = self.backbone.config
    wanted = self.config.input_width, self.config.vocabulary
    if wanted != (shape.width, shape.vocabulary):
      raise errors.InputError(
        f"the head reads states of width {wanted[0]} of {wanted[1]} tokens; its"
        f" backbone's are of width {shape.width}, of {shape.vocabulary} tokens"
      )
    if (self.config.tap or 0) > shape.layers:
      raise errors.InputError(
        f"head tap is {self.config.tap}; its backbone has {shape.layers} blocks"
      )

  @property
  def reads_tokens(self) -> bool:
    """Whether it has a backbone of its own."""
    return self.backbone is not None

  @property
  def reads_history(self) -> bool:
    """Whether it reads an answer of a chain behind those in its context."""
    return self.config.answer_end is not None

  def init(self, key: chex.PRNGKey) -> types.Params:
    """Draws parameters, float32; `key` is consumed."""
    head_key, backbone_key = jax.random.split(key)
    token = jnp.zeros((1, 1), jnp.int32)
    state = jnp.zeros((1, 1, self.config.input_width))
    output = types.Output(
      logits=jnp.zeros((1, 1, self.config.vocabulary)),
      hidden=state,
      streams=(state,) * ((self.config.tap or 0) + 1),
    )
    params: Any = head.Head(self.config).init(
      head_key,
      token,
      output,
      token,
      jnp.zeros((1, 1)),
      token,
      attending.causally(),
      _alone,
    )
    drawn = {"head": nn.meta.unbox(params["params"])}
    if self.backbone is not None:
      drawn["backbone"] = self.backbone.init(backbone_key)
    return drawn

  def read(
    self,
    params: types.Params,
    tokens: chex.Array,
    output: types.Output,
    drawn: chex.Array,
    logprob: chex.Array,
    *,
    positions: chex.Array,
    segments: chex.Array,
    parents: chex.Array,
    dropout_key: chex.PRNGKey | None = None,
  ) -> head.Reading:
    """As `forward`, with all that the head makes of the tokens, [B, T]."""
    chex.assert_equal_shape([tokens, drawn, logprob, segments, parents])
    if self.backbone is not None:
      output = self.backbone.forward(
        params["backbone"],
        tokens,
        positions=positions,
        segments=segments,
        parents=parents,
        dropout_key=dropout_key,
      )
    begins = jnp.diff(segments, axis=1, prepend=segments[:, :1] - 1) != 0
    begins |= self._begins(tokens)
    ends = self._ends(drawn)

    def accumulate(seen: chex.Array) -> head.Surprise:
      # A prompt is given, not drawn: nothing in it surprises.
      mine = (segments != parents)[..., None]
      return head.surprise_along(jnp.where(mine, seen, 0.0), ends, begins)

    reading, _ = self._apply(
      params,
      tokens,
      output,
      drawn,
      logprob,
      positions,
      attending.causally(segments, parents, positions),
      accumulate,
      dropout_key,
    )
    return reading

  def forward(self, *arguments: Any, **layout: Any) -> chex.Array:
    """Logits [B, T] after each drawn token; see `types.Verifier`."""
    return self.read(*arguments, **layout).logit

  def prefill(
    self, params: types.Params, prompts: types.Prompts, output: types.Output
  ) -> PromptState:
    """Reads prompts [Q, P], whose states `output` holds."""
    tokens = prompts.tokens
    backbone = None
    if self.backbone is not None:
      output, backbone = self.backbone.prefill(params["backbone"], prompts)
    _, kept = self._apply(
      params,
      tokens,
      output,
      # What is drawn leaves no trace in what the blocks keep.
      tokens,
      jnp.zeros(tokens.shape, jnp.float32),
      jnp.arange(tokens.shape[1]),
      attending.causally(),
      _alone,
    )
    # The head's own cache is a small one, and is kept as it is computed.
    blocks = attending.prompt_state(kept, prompts.length, "")
    return PromptState(blocks=blocks, backbone=backbone)

  def init_rows(self, questions: int, rows: int, slots: int) -> Rows:
    """Rows [Q, N] that have read nothing."""
    backbone = None
    if self.backbone is not None:
      backbone = self.backbone.init_rows(questions, rows, slots)
    opinions = 2 if self.config.predicts else 1
    return Rows(
      blocks=head.init_cache(self.config.blocks, questions, rows, slots),
      backbone=backbone,
      surprise=head.no_surprise((questions, rows, opinions)),
    )

  def decode(
    self,
    params: types.Params,
    prompt_state: PromptState,
    rows: Rows,
    tokens: chex.Array,
    output: types.Output,
    drawn: chex.Array,
    logprob: chex.Array,
  ) -> tuple[chex.Array, Rows]:
    """Logits [Q, N] after the tokens drawn; see `types.Verifier`."""
    chex.assert_equal_shape([tokens, drawn, logprob, rows.blocks.length])
    backbone = rows.backbone
    if self.backbone is not None:
      output, backbone = self.backbone.decode(
        params["backbone"], prompt_state.backbone, backbone, tokens
      )
    fresh = self._begins(tokens)[..., None]
    before = jax.tree.map(lambda x: jnp.where(fresh, 0.0, x), rows.surprise)
    reading, layers = self._apply(
      params,
      tokens,
      output,
      drawn,
      logprob,
      attending.positions(prompt_state.blocks, rows.blocks),
      attending.with_cache(prompt_state.blocks, rows.blocks),
      functools.partial(head.surprise_after, before),
    )
    return reading.logit, Rows(
      blocks=cache.advance(rows.blocks, layers),
      backbone=backbone,
      surprise=head.step_over(reading.surprise, self._ends(drawn)),
    )

  def _apply(
    self, params: types.Params, *arguments: Any
  ) -> tuple[head.Reading, tuple[Any, ...]]:
    result: Any = head.Head(self.config).apply(
      {"params": params["head"]}, *arguments
    )
    return result

  def _ends(self, drawn: chex.Array) -> chex.Array:
    return jnp.isin(drawn, jnp.asarray(self.config.delimiters))

  def _begins(self, tokens: chex.Array) -> chex.Array:
    """Whether what is drawn after each token is the first of an answer."""
    end = self.config.answer_end
    return jnp.zeros(tokens.shape, bool) if end is None else tokens == end


def above(
  lm: transformer.Transformer,
  delimiters: Iterable[int],
  *,
  layers: int,
  width: int,
  token_width: int,
  mlp_width: int,
  predicts: bool,
  tap: int | None = None,
  dropout: float = 0.0,
  separate: bool = False,
  answer_end: int | None = None,
) -> RewardModel:
  """A reward model for a generator, its blocks shaped like the generator's.

  Args:
    lm: the generator.
    delimiters: tokens that end a step.
    layers: blocks of the head; 0 has none.
    width: of the head, a multiple of the generator's head width.
    token_width: of its embedding of tokens.
    mlp_width: of the layer that gives the logit.
    predicts: the blocks predict each drawn token too.
    tap: the block below which the head branches off; the generator's number
      of blocks, or None, reads the final states.
    dropout: rate in the blocks, in training.
    separate: read a backbone of its own, shaped like the generator, up to the
      tap.
    answer_end: the token that ends an answer, of sequences of several.

  Raises:
    InputError: a size does not fit.
  """
  shape, blocks = lm.config, None
  if tap is not None and not 0 <= tap <= shape.layers:
    raise errors.InputError(
      f"head.tap is {tap}; it must be a block of the model, 0 to"
      f" {shape.layers - 1}, or {shape.layers}: its final states"
    )
  if layers:
    heads = width // shape.head_width
    if heads < 1 or width % shape.head_width:
      raise errors.InputError(
        f"head.width is {width}; it must be a multiple of the model's head"
        f" width, {shape.head_width}"
      )
    # Windows, if any, are those of the blocks that it stands beside.
    first = min(shape.layers if tap is None else tap, shape.layers - layers)
    blocks = dataclasses.replace(
      shape,
      width=width,
      layers=layers,
      windows=shape.windows[max(first, 0) :][:layers],
      heads=heads,
      kv_heads=math.gcd(heads, shape.kv_heads),
      mlp_width=shape.mlp_width * width // shape.width,
      dropout=dropout,
    )
  tap = None if tap == shape.layers else tap
  # What stands above the tap is not read; a transformer has a block.
  depth = shape.layers if tap is None else max(tap, 1)
  own = transformer.Transformer(
    dataclasses.replace(shape.part(0, depth), dropout=dropout)
  )
  return RewardModel(
    head.HeadConfig(
      input_width=shape.width,
      vocabulary=shape.vocabulary,
      width=width,
      token_width=token_width,
      mlp_width=mlp_width,
      delimiters=tuple(sorted(delimiters)),
      blocks=blocks,
      predicts=predicts,
      tap=tap,
      answer_end=answer_end,
    ),
    own if separate else None,
  )


def branched(
  verifier: RewardModel, params: types.Params, model: types.Params
) -> types.Params:
  """Parameters of a head that goes on from its tap as the generator does.

  Block i of the head becomes the generator's block `tap` + i, as far as both
  have one; with all of them its first opinion is the generator's own.

  Args:
    verifier: with a tap, its blocks shaped like the generator's.
    params: as `init` draws them.
    model: the generator's parameters.

  Returns:
    `params` with those parts of the head replaced.

  Raises:
    InputError: the head has no tap, or its blocks are of another shape.
  """
  cfg, drawn = verifier.config, dict(params["head"])
  width = model["embedding"].shape[1]
  if cfg.tap is None or cfg.blocks is None or cfg.width != width:
    raise errors.InputError(
      f"a head goes on as the generator does from a tap, by blocks of its"
      f" width, {width}; this one has tap {cfg.tap} and width {cfg.width}"
    )
  drawn["states"] = {"kernel": jnp.eye(width), "bias": jnp.zeros(width)}
  drawn["read"] = jax.tree.map(jnp.zeros_like, drawn["read"])
  drawn["final_norm"] = model["final_norm"]
  for layer in range(cfg.blocks.layers):
    # Past the generator's last one they stay as drawn.
    name = f"layer_{layer}"
    drawn[name] = model.get(f"layer_{cfg.tap + layer}", drawn[name])
  if cfg.predicts:
    unembedding = model.get("unembedding", model["embedding"].T)
    drawn["prediction"] = {"kernel": unembedding}
  # Copies: the generator's are donated with their own.
  return {**params, "head": jax.tree.map(jnp.array, drawn)}


def lower_blocks(
  backbone: transformer.Transformer, model: types.Params
) -> types.Params:
  """Those of a model's parameters that a backbone of fewer blocks has."""
  shapes = jax.eval_shape(backbone.init, jax.random.key(0))
  return {name: model[name] for name in shapes}


def _alone(seen: chex.Array) -> head.Surprise:
  """The surprise of tokens [..., C], each taken for itself."""
  return head.surprise_after(head.no_surprise(seen.shape), seen)
