"""FLOPs of chains of revisions and of what judges their answers.

A verifier that reads the history reads what the revision model reads, as it
does. One that reads answers alone needs states and log-probabilities that an
answer behind a context does not have: the revision model reads such an answer
once more, without the context.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from tts_jax import types
from tts_jax.model import config
from tts_jax.scaling import flops
from tts_jax.store import chains as store
from tts_jax.verify import reward


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Tokens:
  """What was read and written for each question, [Q] all.

  Attributes:
    prompt: read once.
    generated: of answers.
    rebuilt: of contexts that were read again.
    revised: those of the generated ones that stood behind a context.
    attended: tokens that a generated token attended to on average.
    attended_alone: the same, were each answer read without its context.
  """

  prompt: np.ndarray
  generated: np.ndarray
  rebuilt: np.ndarray
  revised: np.ndarray
  attended: np.ndarray
  attended_alone: np.ndarray

  @property
  def cost(self) -> types.Cost:
    """As a ledger has it."""
    nothing = np.zeros(len(self.generated))
    return types.Cost(
      generated=self.generated,
      pruned=nothing,
      lookahead=nothing,
      prefilled=self.prompt + self.rebuilt,
      scored=nothing,
    )


Count = Callable[[Tokens], np.ndarray]


def tokens(
  length: np.ndarray,
  context: np.ndarray,
  read: np.ndarray,
  prompt_length: np.ndarray,
  total: Callable[[np.ndarray], np.ndarray],
) -> Tokens:
  """Adds answers up.

  Args:
    length: [Q, A], tokens of each answer.
    context: [Q, A], of the answers in its context.
    read: [Q, A], of its context, read again before it.
    prompt_length: [Q].
    total: from [Q, A] of anything to its sum over the answers that count, [Q].
  """
  generated = total(length)
  most = np.maximum(generated, 1)
  before = length * (length - 1) / 2
  return Tokens(
    # A row begins with the prompt's last token.
    prompt=np.asarray(prompt_length) - 1,
    generated=generated,
    rebuilt=total(read),
    revised=total(length * (context > 0)),
    attended=prompt_length + total(length * context + before) / most,
    attended_alone=prompt_length + total(before) / most,
  )


def of_chains(
  chains: store.Chains,
  prompt_length: np.ndarray,
  total: Callable[[np.ndarray], np.ndarray],
) -> Tokens:
  """`tokens` of a run's chains."""
  length = chains.answers.length
  return tokens(length, chains.context, chains.read, prompt_length, total)


def counter(
  model: config.TransformerConfig, verifier: reward.RewardModel
) -> Count:
  """From tokens to FLOPs, [Q] float64.

  Args:
    model: the revision model.
    verifier: judges every answer.
  """
  network, judge = flops.transformer(model), flops.reward_model(verifier)

  def count(found: Tokens) -> np.ndarray:
    if verifier.reads_history:
      return flops.flops(
        found.cost, network, verifier=judge, context=found.attended
      )
    written = flops.flops(found.cost, network, context=found.attended)
    read = found.prompt + found.generated
    again = found.revised * network.per_token(found.attended_alone)
    return written + again + read * judge.per_token(found.attended_alone)

  return count
