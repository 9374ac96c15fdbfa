"""How a token is drawn from logits.

A sampler is a frozen dataclass, hence a static argument under `jit`, with a
method `sample(logits, uniform)`. Randomness comes in as one uniform number a
row, so that the caller decides what it depends on. Nothing here sorts the
vocabulary: a sort costs a hundred times what the rest does.
"""

import dataclasses
import math
from typing import Protocol

import chex
import jax
import jax.numpy as jnp

from tts_jax import errors

# Non-negative float32 numbers are ordered as their bit patterns are.
_BITS_OF_ONE = 0x3F800000
_BISECTIONS = 30


class Sampler(Protocol):
  """Draws a token from each row of logits."""

  def sample(self, logits: chex.Array, uniform: chex.Array) -> chex.Array:
    """Tokens [...] int32 from logits [..., V] and uniform [...] in [0, 1]."""
    ...


@dataclasses.dataclass(frozen=True)
class Greedy:
  """Takes the most probable token, the first of equals."""

  def sample(self, logits: chex.Array, uniform: chex.Array) -> chex.Array:
    """Tokens [...] int32 from logits [..., V]; `uniform` has no effect."""
    del uniform
    # `argmax` reduces pairs, which the CPU's compiler does not vectorise: at
    # 128 x 1024 it took 0.62 ms, more than twice an inverse CDF.
    best = logits == logits.max(-1, keepdims=True)
    index = jnp.arange(logits.shape[-1], dtype=jnp.int32)
    return jnp.where(best, index, logits.shape[-1] - 1).min(-1)


@dataclasses.dataclass(frozen=True)
class Categorical:
  """Draws from `softmax(logits / temperature)`, cut to its nucleus.

  Attributes:
    temperature: above 0.
    top_p: in (0, 1]; below 1, only the smallest set of most probable tokens
      whose mass reaches it is drawn from. Tokens as probable as the last one
      taken are all in the set.

  Raises:
    errors.InputError: a field is out of its range; the message names it.
  """

  temperature: float = 1.0
  top_p: float = 1.0

  def __post_init__(self) -> None:
    if not (self.temperature > 0 and math.isfinite(self.temperature)):
      raise errors.InputError(
        f"sampling temperature is {self.temperature}; it must be above 0 "
        "and finite (for the most probable token use greedy decoding)"
      )
    if not 0 < self.top_p <= 1:
      raise errors.InputError(
        f"sampling top_p is {self.top_p}; it must be in (0, 1]"
      )

  def sample(self, logits: chex.Array, uniform: chex.Array) -> chex.Array:
    """Inverts the cumulative distribution at `uniform`.

    Args:
      logits: [..., V], at least one of them finite in each row.
      uniform: [...] float32 in [0, 1].

    Returns:
      [...] int32. Never a token of probability 0.
    """
    weight = _weight(logits, self.temperature)
    if self.top_p < 1:
      weight = jnp.where(weight >= _threshold(weight, self.top_p), weight, 0.0)
    return inverse_cdf(weight, uniform)


def inverse_cdf(weight: chex.Array, uniform: chex.Array) -> chex.Array:
  """The token at which the cumulative weight first exceeds `uniform`'s share.

  Over two levels: the sums of blocks choose a block, and only that block is
  cumulated. Shorter sums also round less than one over the vocabulary would.

  Args:
    weight: [..., V] float32, non-negative, not all zero in a row.
    uniform: [...] float32 in [0, 1].

  Returns:
    [...] int32, always of a token whose weight is above 0.
  """
  size = block_size(weight.shape[-1])
  pad = -weight.shape[-1] % size
  weight = jnp.pad(weight, [(0, 0)] * (weight.ndim - 1) + [(0, pad)])
  blocks = weight.reshape(*weight.shape[:-1], -1, size)
  sums = blocks.sum(-1)
  cumulated = jnp.cumsum(sums, axis=-1)
  goal = uniform * cumulated[..., -1]
  block = _first_above(cumulated, sums, goal)
  before = jnp.where(block > 0, _at(cumulated, jnp.maximum(block - 1, 0)), 0.0)
  inside = jnp.take_along_axis(
    blocks, block[..., None, None], axis=-2, mode="clip"
  )
  inside = inside.squeeze(-2)
  token = _first_above(jnp.cumsum(inside, axis=-1), inside, goal - before)
  return block * size + token


def block_size(vocabulary: int) -> int:
  """Tokens of a block: about the root of the vocabulary.

  Where there are such, blocks divide the vocabulary, and their number has
  factors of 2, up to 16: where a mesh splits the vocabulary no block then lies
  on two devices, and what they hand to each other is sums, not the logits.
  """
  root = math.sqrt(vocabulary)
  near = range(math.ceil(root / 4), math.floor(4 * root) + 1)
  whole = [n for n in near if vocabulary % n == 0 and n % 2 == 0]
  if not whole:
    return math.ceil(root)
  blocks = min(whole, key=lambda n: (-math.gcd(n, 16), max(n / root, root / n)))
  return vocabulary // blocks


def make(temperature: float = 1.0, top_p: float = 1.0) -> Sampler:
  """Draws at a temperature; at 0 takes the most probable token.

  Args:
    temperature: at least 0.
    top_p: mass of the nucleus, as `Categorical`; at temperature 0 without
      effect.

  Raises:
    InputError: as `Categorical`.
  """
  if not 0 <= temperature < math.inf:
    raise errors.InputError(
      f"sampling temperature is {temperature}; it must be at least 0 and"
      " finite; 0 takes the most probable token"
    )
  drawn = Categorical(temperature=temperature or 1.0, top_p=top_p)
  return drawn if temperature else Greedy()


def _weight(logits: chex.Array, temperature: float) -> chex.Array:
  """Probabilities but for their sum, [..., V] float32; the largest is 1."""
  logits = logits.astype(jnp.float32)
  below_best = logits - logits.max(-1, keepdims=True)
  return jnp.exp(below_best / temperature)


def _threshold(weight: chex.Array, top_p: float) -> chex.Array:
  """The largest weight such that those at or above it hold `top_p` of all.

  Bisects over bit patterns, so that the answer is exact: the number of steps
  is that of a float32's bits, whatever the vocabulary.

  Args:
    weight: [..., V] float32 in [0, 1].
    top_p: share of the mass, in (0, 1).

  Returns:
    [..., 1] float32.
  """
  goal = top_p * weight.sum(-1, keepdims=True)

  def halve(
    _: int, span: tuple[chex.Array, chex.Array]
  ) -> tuple[chex.Array, chex.Array]:
    low, high = span  # enough mass at low, too little at high
    middle = low + (high - low) // 2
    floor = jax.lax.bitcast_convert_type(middle, jnp.float32)
    kept = jnp.where(weight >= floor, weight, 0.0).sum(-1, keepdims=True)
    enough = kept >= goal
    return jnp.where(enough, middle, low), jnp.where(enough, high, middle)

  low = jnp.zeros(goal.shape, jnp.int32)
  high = jnp.full(goal.shape, _BITS_OF_ONE + 1, jnp.int32)
  low, _ = jax.lax.fori_loop(0, _BISECTIONS, halve, (low, high))
  return jax.lax.bitcast_convert_type(low, jnp.float32)


def _at(values: chex.Array, index: chex.Array) -> chex.Array:
  """One of the values [..., V] in each row, that at index [...]."""
  taken = jnp.take_along_axis(values, index[..., None], axis=-1, mode="clip")
  return taken.squeeze(-1)


def _first_above(
  cumulated: chex.Array, weight: chex.Array, goal: chex.Array
) -> chex.Array:
  """First index of positive weight whose cumulated weight exceeds `goal`.

  The sums of a parallel scan round differently at each index: they may rise
  where the weight is 0 and end below the goal. Hence the test on the weight
  itself, and the last positive weight where no index exceeds the goal.

  Args:
    cumulated: [..., V].
    weight: [..., V].
    goal: [...].

  Returns:
    [...] int32.
  """
  index = jnp.arange(weight.shape[-1], dtype=jnp.int32)
  positive = weight > 0
  last = jnp.where(positive, index, 0).max(-1)
  above = positive & (cumulated > goal[..., None])
  return jnp.where(above, index, last[..., None]).min(-1)
