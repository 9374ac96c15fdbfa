"""Training a verifier: its losses, and the three regimes as two facts.

Parameters are {"model": the generator's, "head": ...}, with "backbone" where
the verifier has one of its own. The regimes of the question how much a verifier
should share follow from what is set:

* *frozen*: no backbone of its own, `language_weight` 0. "model" stays.
* *joint*: no backbone of its own, `language_weight` above 0. "model" is trained
  by all losses, so that it still generates.
* *separate*: a backbone of its own, trained; "model" stays.
"""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import optax

from tts_jax import errors, types
from tts_jax.verify import reward, scoring, solutions


@dataclasses.dataclass(frozen=True, kw_only=True)
class Objective:
  """Binary cross-entropy on soft labels at every step, as a `step.Loss`.

  Attributes:
    lm: the generator.
    verifier: reads its states, or has a backbone of its own.
    language_weight: what a token of a worked solution counts for, in the
      generator's own loss, beside a step of a labelled one; 0 freezes it.
    opinion_weight: the same in the loss of the head's own predictions.

  Raises:
    InputError: a weight is below 0; both a backbone of its own and a language
      weight; an opinion weight and a head that does not predict.
  """

  lm: types.LanguageModel
  verifier: reward.RewardModel
  language_weight: float = 0.0
  opinion_weight: float = 0.0

  def __post_init__(self) -> None:
    for name in ("language_weight", "opinion_weight"):
      if getattr(self, name) < 0:
        raise errors.InputError(
          f"{name} is {getattr(self, name)}; it must be at least 0"
        )
    if self.language_weight and self.verifier.reads_tokens:
      raise errors.InputError(
        "language_weight is above 0 and the verifier has a backbone of its own;"
        " only a shared backbone is trained jointly"
      )
    if self.opinion_weight and not self.verifier.config.predicts:
      raise errors.InputError(
        "opinion_weight is above 0 and the head does not predict; set"
        " head.predicts"
      )

  @property
  def frozen(self) -> tuple[str, ...]:
    """The parts of the parameters that do not change."""
    return () if self.language_weight else ("model",)

  def init(self, key: chex.PRNGKey, model: types.Params) -> types.Params:
    """Parameters to begin with; `key` is consumed.

    Args:
      key: draws the head.
      model: the generator's; a second backbone starts from a copy of as many
        blocks as it has, and a head that branches off from copies of those
        above its tap.
    """
    drawn = self.verifier.init(key)
    if self.verifier.config.tap is not None:
      drawn = reward.branched(self.verifier, drawn, model)
    params = {"model": model, **drawn}
    if self.verifier.backbone is not None:
      lower = reward.lower_blocks(self.verifier.backbone, model)
      params["backbone"] = jax.tree.map(jnp.copy, lower)
    return params

  def __call__(
    self,
    params: types.Params,
    batch: solutions.Batch,
    *,
    dropout_key: chex.PRNGKey | None = None,
  ) -> tuple[chex.Array, chex.Array]:
    """(sum of all losses in nats, sum of their weights), both []."""
    if not self.language_weight:
      still = jax.lax.stop_gradient(params["model"])
      params = {**params, "model": still}
    reading, logprob = scoring.read(
      params, batch, self.lm, self.verifier, dropout_key=dropout_key
    )
    total, weight = _cross_entropy(reading.logit, batch)
    tokens = batch.worked.sum()
    for each, nats in (
      (self.language_weight, -logprob),
      (self.opinion_weight, -reading.opinion),
    ):
      if each:
        total += each * (nats * batch.worked).sum()
        weight += each * tokens
    return total, weight

  def validate(
    self, params: types.Params, batch: solutions.Batch
  ) -> tuple[chex.Array, chex.Array]:
    """(cross-entropy of the steps in nats, steps): what stops training."""
    reading, _ = scoring.read(params, batch, self.lm, self.verifier)
    return _cross_entropy(reading.logit, batch)


def _cross_entropy(
  logits: chex.Array, batch: solutions.Batch
) -> tuple[chex.Array, chex.Array]:
  """(sum over labelled steps in nats, their number), both []."""
  nats = optax.sigmoid_binary_cross_entropy(logits, batch.labels)
  return (nats * batch.weights).sum(), batch.weights.sum()
