"""Training a difficulty head: binomial cross-entropy on pools' verdicts.

The backbone is frozen, so a prompt's features are computed once and kept in
memory; what is trained is small, and takes seconds.
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import chex
import flax.struct
import jax
import numpy as np
import optax

from tts_jax import errors, types
from tts_jax.decode import stream
from tts_jax.verify import difficulty_head

# Of the parameters: set once, from the features.
FROZEN = ("standard",)


@flax.struct.dataclass(kw_only=True)
class Examples:
  """Questions with how often the model answers them right.

  Attributes:
    features: [Q, F] float32.
    correct: [Q] float32, right samples.
    samples: [Q] float32, samples; at least 1.
  """

  features: chex.Array
  correct: chex.Array
  samples: chex.Array

  @property
  def segments(self) -> np.ndarray:
    """[Q] ones: as `loop.Batch` counts tokens, a question is one."""
    return np.ones(len(self.samples), np.int32)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Verdicts:
  """Questions of pools, before a model has read them.

  Attributes:
    requests: Q questions.
    correct: [Q] float32, right samples.
    samples: [Q] float32, samples.
  """

  requests: tuple[stream.Request, ...]
  correct: np.ndarray
  samples: np.ndarray

  def examples(
    self, read: Callable[[Sequence[stream.Request]], np.ndarray]
  ) -> Examples:
    """With the features [Q, F] that `read` gives of the questions."""
    return Examples(
      features=read(self.requests), correct=self.correct, samples=self.samples
    )


def joined(pools: Iterable[Verdicts]) -> Verdicts:
  """Several pools as one.

  Raises:
    InputError: there is none.
  """
  parts = list(pools)
  if not parts:
    raise errors.InputError("config.pools is empty; name a run with a pool")
  return Verdicts(
    requests=tuple(one for part in parts for one in part.requests),
    correct=np.concatenate([part.correct for part in parts]),
    samples=np.concatenate([part.samples for part in parts]),
  )


def check_disjoint(train: Verdicts, held_out: Verdicts) -> None:
  """Checks that training does not see the questions at which it stops.

  Raises:
    InputError: two questions have one prompt.
  """
  seen = {tuple(one.tokens): one.id for one in train.requests}
  for one in held_out.requests:
    if (other := seen.get(tuple(one.tokens))) is not None:
      raise errors.InputError(
        f"held-out question {one.id!r} is training question {other!r}; draw a"
        " pool of another split"
      )


@dataclasses.dataclass(frozen=True)
class Loss:
  """The `step.Loss` of a head: nats a sample, each question's samples counted.

  Attributes:
    head: the head's shape.
  """

  head: difficulty_head.DifficultyHead

  def __call__(
    self,
    params: types.Params,
    batch: Examples,
    *,
    dropout_key: chex.PRNGKey | None = None,
  ) -> tuple[chex.Array, chex.Array]:
    """(sum over samples, their number), both []; there is no dropout."""
    del dropout_key
    nats = optax.sigmoid_binary_cross_entropy(
      self.head.logit(params, batch.features), batch.correct / batch.samples
    )
    return (nats * batch.samples).sum(), batch.samples.sum()


def batches(
  examples: Examples, *, rows: int, seed: int
) -> Callable[[int], Iterator[tuple[int, Examples]]]:
  """Batches of `rows` questions without end, in a new order each time through.

  Returns:
    Given the number of a batch, yields (next number, batch) from there.

  Raises:
    InputError: there are fewer questions.
  """
  questions = len(examples.samples)
  if not 1 <= rows <= questions:
    raise errors.InputError(
      f"data.rows is {rows}; it must be from 1 to the {questions} questions of"
      " the pools"
    )

  def from_number(first: int) -> Iterator[tuple[int, Examples]]:
    for number in itertools.count(first):
      epoch, place = divmod(number, questions // rows)
      order = np.random.default_rng([seed, epoch]).permutation(questions)
      some = order[place * rows :][:rows]
      yield number + 1, jax.tree.map(lambda x, some=some: x[some], examples)

  return from_number


def constant_loss(train: Examples, held_out: Examples) -> float:
  """Held-out nats a sample of what says the training mean of all questions."""
  mean = float(train.correct.sum() / train.samples.sum())
  share = float(held_out.correct.sum() / held_out.samples.sum())
  if mean in (0.0, 1.0):
    return 0.0 if share == mean else math.inf
  return -share * math.log(mean) - (1 - share) * math.log(1 - mean)
