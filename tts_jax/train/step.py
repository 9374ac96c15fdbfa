"""The optimizer, the language-model loss, and one step of any training."""

import dataclasses
from typing import Any, Protocol

import chex
import flax.struct
import jax
import jax.numpy as jnp
import optax

from tts_jax import errors, types
from tts_jax.train import batches


class Loss(Protocol):
  """What training makes small."""

  def __call__(
    self,
    params: types.Params,
    batch: Any,
    *,
    dropout_key: chex.PRNGKey | None = None,
  ) -> tuple[chex.Array, chex.Array]:
    """(sum over items, sum of their weights), both [] float32.

    Sums of parts of a batch add up to the whole's.
    """
    ...


@dataclasses.dataclass(frozen=True)
class Optimizer:
  """AdamW with a linear warm-up and a cosine decay to zero.

  Attributes:
    learning_rate: at the end of the warm-up.
    steps: of the whole training.
    warmup: steps of the warm-up.
    weight_decay: on matrices only.
    b1: decay of the first moment.
    b2: decay of the second moment.
    clip: largest global norm of the gradient.
    frozen: parts of the parameters, by their first key, that do not change.

  Raises:
    InputError: a field is out of its range.
  """

  learning_rate: float
  steps: int
  warmup: int = 100
  weight_decay: float = 0.1
  b1: float = 0.9
  b2: float = 0.95
  clip: float = 1.0
  frozen: tuple[str, ...] = ()

  def __post_init__(self) -> None:
    if not 0 <= self.warmup < self.steps:
      raise errors.InputError(
        f"warmup is {self.warmup}; it must be from 0 to below "
        f"steps, {self.steps}"
      )
    if self.learning_rate <= 0:
      raise errors.InputError(
        f"learning_rate is {self.learning_rate}; it must be above 0"
      )

  def schedule(self) -> optax.Schedule:
    """Learning rate by step."""
    return optax.warmup_cosine_decay_schedule(
      0.0, self.learning_rate, self.warmup, self.steps
    )

  def transformation(self) -> optax.GradientTransformation:
    """The optax transformation."""
    moving = optax.chain(
      optax.clip_by_global_norm(self.clip),
      optax.adamw(
        self.schedule(),
        b1=self.b1,
        b2=self.b2,
        weight_decay=self.weight_decay,
        mask=lambda params: jax.tree.map(lambda p: p.ndim > 1, params),
      ),
    )
    if not self.frozen:
      return moving
    return optax.partition(
      {"moving": moving, "frozen": optax.set_to_zero()},
      lambda params: {
        name: "frozen" if name in self.frozen else "moving" for name in params
      },
    )


@flax.struct.dataclass(kw_only=True)
class TrainState:
  """All that training carries from step to step.

  Attributes:
    step: [] int32, steps done.
    params: the model's.
    optimizer: optax's state.
    key: [] key of the run; a step's dropout folds its number into it.
  """

  step: chex.Array
  params: types.Params
  optimizer: Any
  key: chex.PRNGKey


def init(
  key: chex.PRNGKey, lm: types.LanguageModel, optimizer: Optimizer
) -> TrainState:
  """A fresh state of a model that starts from nothing; `key` is consumed."""
  params_key, step_key = jax.random.split(key)
  return begin(step_key, lm.init(params_key), optimizer)


def begin(
  key: chex.PRNGKey, params: types.Params, optimizer: Optimizer
) -> TrainState:
  """A state that starts from `params`; `key` is kept for the steps."""
  return TrainState(
    step=jnp.zeros((), jnp.int32),
    params=params,
    optimizer=optimizer.transformation().init(params),
    key=key,
  )


def loss(
  params: types.Params,
  batch: batches.Batch,
  *,
  lm: types.LanguageModel,
  dropout_key: chex.PRNGKey | None = None,
) -> tuple[chex.Array, chex.Array]:
  """Weighted cross-entropy of the next token, summed, in nats: a `Loss`.

  Args:
    params: the model's.
    batch: [B, T].
    lm: the model.
    dropout_key: consumed; None trains without dropout.

  Returns:
    (sum over tokens, sum of their weights), both [].
  """
  output = lm.forward(
    params,
    batch.tokens,
    positions=batch.positions,
    segments=batch.segments,
    dropout_key=dropout_key,
  )
  nats = optax.softmax_cross_entropy_with_integer_labels(
    output.logits, batch.targets
  )
  return (nats * batch.weights).sum(), batch.weights.sum()


def _gradient(
  params: types.Params,
  batch: Any,
  key: chex.PRNGKey,
  *,
  loss: Loss,
  microbatches: int,
) -> tuple[chex.Array, types.Params]:
  """Mean loss and its gradient, a part of the batch at a time."""
  rows = jax.tree.leaves(batch)[0].shape[0]
  if microbatches < 1 or rows % microbatches:
    raise errors.InputError(
      f"data.microbatches is {microbatches}; it must divide data.rows, {rows}"
    )

  def part(
    total: tuple[Any, Any], one: tuple[chex.PRNGKey, Any]
  ) -> tuple[tuple[Any, Any], None]:
    key, rows = one
    found = jax.value_and_grad(loss, has_aux=True)(
      params, rows, dropout_key=key
    )
    return jax.tree.map(jnp.add, total, found), None

  def split(x: chex.Array) -> chex.Array:
    # Every part takes rows from each device's share of the batch.
    return x.reshape(-1, microbatches, *x.shape[1:]).swapaxes(0, 1)

  keys = jax.random.split(key, microbatches)
  zero = jnp.zeros(())
  start = ((zero, zero), jax.tree.map(jnp.zeros_like, params))
  ((value, weight), gradient), _ = jax.lax.scan(
    part, start, (keys, jax.tree.map(split, batch))
  )
  scale = 1 / jnp.maximum(weight, 1.0)
  return value * scale, jax.tree.map(lambda g: g * scale, gradient)


def train_step(
  state: TrainState,
  batch: Any,
  *,
  loss: Loss,
  optimizer: Optimizer,
  microbatches: int = 1,
) -> tuple[TrainState, dict[str, chex.Array]]:
  """One update.

  Args:
    state: donated by the caller's `jit`.
    batch: what `loss` takes; leaves [B, ...].
    loss: static.
    optimizer: static.
    microbatches: parts of the batch, read one after another, so that memory
      is that of one part; a divisor of B.

  Returns:
    (state, metrics): `loss` in nats, `gradient_norm`, `learning_rate`, each [].

  Raises:
    errors.InputError: `microbatches` does not divide B.
  """
  value, gradient = _gradient(
    state.params,
    batch,
    jax.random.fold_in(state.key, state.step),
    loss=loss,
    microbatches=microbatches,
  )
  updates, optimizer_state = optimizer.transformation().update(
    gradient, state.optimizer, state.params
  )
  metrics = {
    "loss": value,
    "gradient_norm": optax.global_norm(gradient),
    "learning_rate": optimizer.schedule()(state.step),
  }
  return state.replace(  # type: ignore[attr-defined]
    step=state.step + 1,
    params=optax.apply_updates(state.params, updates),
    optimizer=optimizer_state,
  ), metrics
