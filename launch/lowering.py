"""A program to compile from shapes alone, and what it is held against."""

import dataclasses
from typing import Any

import jax

from tts_jax import sharding
from tts_jax.scaling import roofline


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
  """One program.

  Attributes:
    name: of it.
    program: jitted.
    args: shapes, each with its sharding.
    caches: that it carries, among `args`; None where there are none.
    beside: what else is on the chips while it runs.
    work: what a turn of its loop has to do; None of what does not decode.
  """

  name: str
  program: Any
  args: tuple[Any, ...]
  caches: Any = None
  beside: Any = None
  work: roofline.Decoding | None = None


def key_shape(mesh: jax.sharding.Mesh) -> Any:
  """A key that every chip has."""
  key = jax.eval_shape(lambda: jax.random.key(0))
  return sharding.shapes(key, sharding.replicated(mesh))
