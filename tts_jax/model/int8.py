"""Numbers held as 8-bit integers with scales, and products with them.

An array and what holds it in 8 bits go through the same functions here, so that
a model need not know which of the two it was given. Weights have a scale for
each output channel, keys and values one for each head of each token: the scale
then leaves the sum, and the product is that of the integers.
"""

from typing import Any, TypeAlias

import chex
import flax.struct
import jax
import jax.numpy as jnp

from tts_jax import errors

_MOST = 127


@flax.struct.dataclass(kw_only=True)
class Scaled:
  """What `values` times `scale` is.

  Attributes:
    values: int8.
    scale: float32, with the axes of `values` but those that share a scale.
  """

  values: chex.Array
  scale: chex.Array

  @property
  def shape(self) -> tuple[int, ...]:
    """Of what it stands for."""
    return self.values.shape


Held: TypeAlias = chex.Array | Scaled


def scaled(x: chex.Array, axes: int | tuple[int, ...]) -> Scaled:
  """The nearest that 8 bits hold; the largest along `axes` becomes 127.

  Args:
    x: numbers.
    axes: that share a scale.
  """
  wide = x.astype(jnp.float32)
  top = jnp.abs(wide).max(axes, keepdims=True)
  scale = jnp.where(top > 0, top, 1.0) / _MOST
  return Scaled(
    values=jnp.round(wide / scale).astype(jnp.int8),
    scale=scale.squeeze(axes),
  )


def cast(x: Held, dtype: str) -> Held:
  """An array in `dtype`; what is held in 8 bits stays so."""
  return x if isinstance(x, Scaled) else x.astype(dtype)


def product(spec: str, x: chex.Array, other: Held) -> chex.Array:
  """`jnp.einsum`, summed and given in float32, of scales that are not summed.

  Args:
    spec: of the product; the axes of the scale stand in it in one order.
    x: left operand.
    other: right operand, cast to the type of `x`; its scale has the axes that
      are in the result.
  """
  wide = jnp.float32
  if not isinstance(other, Scaled):
    return jnp.einsum(spec, x, other, preferred_element_type=wide)
  _, right, out = _axes(spec)
  kept = [axis for axis in right if axis in out]
  found = jnp.einsum(
    spec, x, other.values.astype(x.dtype), preferred_element_type=wide
  )
  return found * _lined_up(other.scale, kept, out)


def weighted(
  spec: str, weights: chex.Array, values: Held, dtype: Any
) -> chex.Array:
  """As `product`, of scales that are summed over.

  Args:
    spec: of the product; the axes of the scale stand in it in one order.
    weights: float32.
    values: their scale has the axes that `weights` has, too.
    dtype: that both are cast to.
  """
  if isinstance(values, Scaled):
    left, right, _ = _axes(spec)
    kept = [axis for axis in right if axis in left]
    weights *= _lined_up(values.scale, kept, left)
    values = values.values
  return jnp.einsum(
    spec,
    weights.astype(dtype),
    values.astype(dtype),
    preferred_element_type=jnp.float32,
  )


def _axes(spec: str) -> tuple[str, str, str]:
  left, rest = spec.replace("...", "").split(",")
  right, out = rest.split("->")
  return left, right, out


def _lined_up(scale: chex.Array, kept: list[str], axes: str) -> chex.Array:
  """The scale with an axis of 1 for each of `axes` that it lacks."""
  return jnp.expand_dims(
    scale, [at for at, axis in enumerate(axes) if axis not in kept]
  )


def looked_up(table: Held, index: chex.Array, dtype: str) -> chex.Array:
  """Rows of a table, which have a scale each."""
  if not isinstance(table, Scaled):
    return table[index]
  rows = table.values[index] * table.scale[index][..., None]
  return rows.astype(dtype)


# The axes of each kernel that its product sums over.
_SUMMED = {
  "embedding": (1,),
  "unembedding": (0,),
  "qkv": (0,),
  "out": (0, 1, 2),
  "gate_up": (0,),
  "down": (0,),
}


def parameters(params: Any) -> Any:
  """A transformer's parameters with its kernels in 8 bits.

  Norms and biases stay. The embedding has a scale for each token, which is one
  for each logit too where the two are tied.

  Raises:
    errors.InputError: there is no kernel.
  """
  found = 0

  def one(path: tuple[Any, ...], leaf: chex.Array) -> Held:
    nonlocal found
    axes = _SUMMED.get(path[-1].key)
    if axes is None:
      return leaf
    found += 1
    return scaled(leaf, axes)

  held = jax.tree_util.tree_map_with_path(one, params)
  if not found:
    raise errors.InputError(
      "8 bits: these are no parameters of a transformer, which has some of"
      f" {', '.join(_SUMMED)}"
    )
  return held


def logical_axes(axes: Any) -> Any:
  """Those of `parameters`, from a transformer's own."""

  def one(
    path: tuple[Any, ...], names: jax.sharding.PartitionSpec
  ) -> jax.sharding.PartitionSpec | Scaled:
    summed = _SUMMED.get(path[-1].key)
    if summed is None:
      return names
    kept = [name for at, name in enumerate(names) if at not in summed]
    return Scaled(values=names, scale=jax.sharding.PartitionSpec(*kept))

  return jax.tree_util.tree_map_with_path(
    one,
    axes,
    is_leaf=lambda node: isinstance(node, jax.sharding.PartitionSpec),
  )
