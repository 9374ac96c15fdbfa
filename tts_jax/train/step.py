"""The loss, the optimizer and one step of language-model training."""

import dataclasses
from typing import Any

import chex
import flax.struct
import jax
import jax.numpy as jnp
import optax

from tts_jax import types
from tts_jax.train import batches


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
  """

  learning_rate: float
  steps: int
  warmup: int = 100
  weight_decay: float = 0.1
  b1: float = 0.9
  b2: float = 0.95
  clip: float = 1.0

  def schedule(self) -> optax.Schedule:
    """Learning rate by step."""
    return optax.warmup_cosine_decay_schedule(
      0.0, self.learning_rate, self.warmup, self.steps
    )

  def transformation(self) -> optax.GradientTransformation:
    """The optax transformation."""
    return optax.chain(
      optax.clip_by_global_norm(self.clip),
      optax.adamw(
        self.schedule(),
        b1=self.b1,
        b2=self.b2,
        weight_decay=self.weight_decay,
        mask=lambda params: jax.tree.map(lambda p: p.ndim > 1, params),
      ),
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
  """A fresh state; `key` is consumed."""
  params_key, step_key = jax.random.split(key)
  params = lm.init(params_key)
  return TrainState(
    step=jnp.zeros((), jnp.int32),
    params=params,
    optimizer=optimizer.transformation().init(params),
    key=step_key,
  )


def loss(
  params: types.Params,
  batch: batches.Batch,
  *,
  lm: types.LanguageModel,
  dropout_key: chex.PRNGKey | None = None,
) -> tuple[chex.Array, chex.Array]:
  """Weighted cross-entropy in nats.

  Args:
    params: the model's.
    batch: [B, T].
    lm: the model.
    dropout_key: consumed; None trains without dropout.

  Returns:
    (mean over weights, sum of weights), both [].
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
  weight = batch.weights.sum()
  return (nats * batch.weights).sum() / jnp.maximum(weight, 1.0), weight


def train_step(
  state: TrainState,
  batch: batches.Batch,
  *,
  lm: types.LanguageModel,
  optimizer: Optimizer,
) -> tuple[TrainState, dict[str, chex.Array]]:
  """One update.

  Args:
    state: donated by the caller's `jit`.
    batch: [B, T].
    lm: static.
    optimizer: static.

  Returns:
    (state, metrics): `loss` in nats, `gradient_norm`, `learning_rate`, each [].
  """
  key = jax.random.fold_in(state.key, state.step)
  (value, _), gradient = jax.value_and_grad(loss, has_aux=True)(
    state.params, batch, lm=lm, dropout_key=key
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
