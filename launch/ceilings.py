"""What the machine at hand can do, measured."""

import functools
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tts_jax.scaling import roofline

_SIZE = 2048  # of the matrices multiplied
_BYTES = 256 << 20


@functools.cache
def measure(dtype: str, repeats: int = 5) -> roofline.Machine:
  """The best of some sums over memory and of some matrix products.

  Measured once: all that is held against it in a run is held against the same.
  """
  array = jnp.ones(_BYTES // 4, jnp.float32)
  matrix = jnp.ones((_SIZE, _SIZE), dtype)
  total = jax.jit(jnp.sum)
  # Summed in float32, as models sum.
  product = jax.jit(
    functools.partial(jnp.matmul, preferred_element_type=jnp.float32)
  )
  return roofline.Machine(
    bytes_per_second=_BYTES / seconds(lambda: total(array), repeats).min(),
    flops_per_second=2
    * _SIZE**3
    / seconds(lambda: product(matrix, matrix), repeats).min(),
  )


def seconds(function: Callable[[], Any], repeats: int) -> np.ndarray:
  """[repeats] float64, of calls after a first one that compiles."""
  jax.block_until_ready(function())
  found = []
  for _ in range(repeats):
    start = time.perf_counter()
    jax.block_until_ready(function())
    found.append(time.perf_counter() - start)
  return np.array(found)
