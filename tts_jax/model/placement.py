"""Where states live: on the mesh of the parameters that they are made with.

Their questions are split over `data` and their key/value heads over `model`, by
`sharding.RULES`. What makes a state is compiled, so that no device ever holds
more than its part, and what carries one gives it back where it was.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax

from tts_jax import sharding, types
from tts_jax.model import cache

# Compiles a function: as `jax.jit`, which the caller hands in.
Compile = Callable[..., Any]


def shards(params: types.Params, questions: int) -> int:
  """Devices over which a state's questions are split, by its parameters."""
  mesh = sharding.mesh_of(params)
  count = 1 if mesh is None else mesh.shape.get(sharding.DATA, 1)
  return 1 if questions % count else count


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placed:
  """A state in its place, and what compiles functions that carry it.

  Attributes:
    begin: gives the state.
    where: the sharding of each of its arrays; None, which leaves it to the
      compiler, where the parameters are on no mesh.
    compiler: `jax.jit`.
  """

  begin: Callable[[], Any]
  where: Any
  compiler: Compile

  @classmethod
  def of(
    cls, begin: Callable[[], Any], params: types.Params, compiler: Compile
  ) -> "Placed":
    """The state that `begin` gives, on the mesh of `params`, if any."""
    mesh = sharding.mesh_of(params)
    if mesh is None:
      return cls(begin=begin, where=None, compiler=compiler)
    state = jax.eval_shape(begin)
    where = sharding.tree(mesh, cache.logical_axes(state), state)
    begin = compiler(begin, out_shardings=where)
    return cls(begin=begin, where=where, compiler=compiler)

  def keeps(
    self, function: Callable[..., Any], *, argument: int = 1, told: int = 0
  ) -> Any:
    """A function compiled that is given the state and gives it back.

    Args:
      function: the state is donated to it; it comes first in what it gives.
      argument: where the state stands among its arguments.
      told: how many other things it gives, behind the state.
    """
    where = (self.where, *(None,) * told) if told else self.where
    return self.compiler(function, donate_argnums=argument, out_shardings=where)

  def shapes(self) -> Any:
    """The state's shapes, each with its sharding: for what compiles only."""
    return sharding.shapes(jax.eval_shape(self.begin), self.where)
