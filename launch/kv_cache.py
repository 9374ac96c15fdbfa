"""Bytes of keys and values, by the arrays of a state."""

from typing import Any, NamedTuple

import jax

from tts_jax.model import cache


class Sizes(NamedTuple):
  """Bytes in all questions' prompts, and in all rows."""

  prompts: int
  rows: int


def sizes(state: Any) -> Sizes:
  """Those of a state of sampling, searching or revising.

  Args:
    state: arrays, or their shapes; whatever of it is a `PromptState` or a
      `RowCache` counts, a verifier's too.
  """
  kinds = (cache.PromptState, cache.RowCache)
  nodes = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, kinds))
  return Sizes(
    *(sum(_bytes(n) for n in nodes if isinstance(n, k)) for k in kinds)
  )


def _bytes(node: Any) -> int:
  leaves = jax.tree.leaves((node.keys, node.values))
  return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)
