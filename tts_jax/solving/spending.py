"""What solving a question took: generations, tokens, FLOPs."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tts_jax import types
from tts_jax.scaling import chain_flops, flops
from tts_jax.solving import engines
from tts_jax.verify import reward

TOKENS = tuple(field.name for field in dataclasses.fields(types.Cost))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spent:
  """What one part of the work took.

  Attributes:
    generations: solutions drawn, those rolled ahead counted as drawn.
    tokens: by the names of the ledger's entries.
    flops: of the models and of the verifiers.
  """

  generations: int = 0
  tokens: dict[str, int] = dataclasses.field(
    default_factory=lambda: dict.fromkeys(TOKENS, 0)
  )
  flops: float = 0.0

  def __add__(self, other: "Spent") -> "Spent":
    return Spent(
      generations=self.generations + other.generations,
      tokens={name: self.tokens[name] + other.tokens[name] for name in TOKENS},
      flops=self.flops + other.flops,
    )


def reading(models: engines.Models, prompt: int) -> Spent:
  """What placing a question by the difficulty head takes: no generation.

  Args:
    models: with a head.
    prompt: tokens of the prompt. They are read in a pass of its own, and again
      where the question is answered.
  """
  assert models.head is not None, "a head reads"
  return Spent(
    tokens={**dict.fromkeys(TOKENS, 0), "prefilled": prompt},
    flops=float(flops.placing(models.lm.config, models.head, prompt)),
  )


def count(
  models: engines.Models,
  cost: types.Cost,
  *,
  generations: int,
  prompt: int,
  lengths: Sequence[int],
) -> Spent:
  """What a ledger comes to, the verifier's work included.

  Args:
    models: that did it.
    cost: of one question, numbers.
    generations: solutions drawn.
    prompt: tokens of the prompt.
    lengths: tokens of each solution.
  """
  size = np.asarray(lengths, np.float64)
  attended = float((size * (size - 1) / 2).sum())
  whole = types.Cost(**{n: np.array([int(getattr(cost, n))]) for n in TOKENS})
  total = flops.flops(
    whole,
    flops.transformer(models.lm.config),
    verifier=models.network,
    reads_tokens=models.verifier.reads_tokens,
    context=prompt + attended / max(float(size.sum()), 1.0),
  )
  return _spent(whole, generations, total)


def count_chains(
  models: engines.Models,
  cost: types.Cost,
  *,
  generations: int,
  prompt: int,
  lengths: np.ndarray,
  contexts: np.ndarray,
) -> Spent:
  """The same of chains of revisions.

  Args:
    models: the revision model and its verifier.
    cost: of one question, numbers.
    generations: answers drawn.
    prompt: tokens of the prompt.
    lengths: [A] int, tokens of each answer drawn.
    contexts: [A] int, tokens of the answers that each had in its context.
  """
  rebuilt = int(cost.prefilled) - (prompt - 1)
  found = chain_flops.tokens(
    lengths[None].astype(np.float64),
    contexts[None].astype(np.float64),
    np.array([[rebuilt]], np.float64),
    np.array([prompt]),
    lambda values: values.sum(1),
  )
  judge = models.verifier
  assert isinstance(judge, reward.RewardModel), "nothing else judges chains"
  total = chain_flops.counter(models.lm.config, judge)(found)
  return _spent(cost, generations, total)


def _spent(cost: types.Cost, generations: int, total: np.ndarray) -> Spent:
  tokens = {name: int(np.sum(getattr(cost, name))) for name in TOKENS}
  return Spent(generations=generations, tokens=tokens, flops=float(total[0]))
