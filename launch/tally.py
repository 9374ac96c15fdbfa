"""Collectives of a program, equal ones together."""

import collections
from collections.abc import Iterator
from typing import Any

from tts_jax.scaling import hlo


def alike(found: list[hlo.Collective]) -> Iterator[dict[str, Any]]:
  """Plain data, those that send most first."""
  alike = collections.Counter(
    (one.kind, one.arrays, one.group, one.in_loop, one.bytes, one.sent)
    for one in found
  )
  for (kind, arrays, group, inside, size, sent), count in sorted(
    alike.items(), key=lambda item: -item[0][-1] * item[1]
  ):
    yield {
      "kind": kind,
      "count": count,
      "arrays": [str(array) for array in arrays],
      "chips": group,
      "in_loop": inside,
      "bytes": size,
      "sent": sent,
    }
