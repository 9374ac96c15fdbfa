"""What solving a question took: generations, tokens, FLOPs."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tts_jax import types
from tts_jax.scaling import flops
from tts_jax.solving import engines

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
  read = prompt * flops.transformer(models.lm.config).per_token(prompt)
  return Spent(
    tokens={**dict.fromkeys(TOKENS, 0), "prefilled": prompt},
    flops=float(read) + models.head.flops,
  )


def count(
  models: engines.Models,
  cost: types.Cost,
  *,
  generations: int,
  prompt: int,
  lengths: Sequence[int],
  contexts: Sequence[int] = (),
) -> Spent:
  """What a ledger comes to, the verifier's work included.

  Args:
    models: that did it.
    cost: of one question, numbers.
    generations: solutions drawn.
    prompt: tokens of the prompt.
    lengths: tokens of each solution.
    contexts: tokens of the answers that each solution had in its context; empty
      where none had any.
  """
  size = np.asarray(lengths, np.float64)
  seen = np.asarray(contexts, np.float64) if len(contexts) else 0 * size
  attended = float((size * (seen + (size - 1) / 2)).sum())
  own = models.verifier.backbone
  judge = flops.reward_model(
    models.verifier.config, own.config if own is not None else None
  )
  whole = types.Cost(**{n: np.array([int(getattr(cost, n))]) for n in TOKENS})
  total = flops.flops(
    whole,
    flops.transformer(models.lm.config),
    verifier=judge,
    reads_tokens=models.verifier.reads_tokens,
    context=prompt + attended / max(float(size.sum()), 1.0),
  )
  return Spent(
    generations=generations,
    tokens={name: int(getattr(whole, name)[0]) for name in TOKENS},
    flops=float(total[0]),
  )
