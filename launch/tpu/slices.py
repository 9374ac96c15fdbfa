"""Types of accelerators that Cloud TPU has, by the names that it takes.

As of https://cloud.google.com/tpu/docs/v5e, v5p, v6e and runtimes.
"""

import dataclasses
import re

from tts_jax import errors

_SQUARES = (1, 4, 8, 16, 32, 64, 128, 256)


@dataclasses.dataclass(frozen=True)
class Generation:
  """Of chips.

  Attributes:
    sizes: what may stand behind its name.
    runtime: the software that its machines start with.
    cores: of a chip, where sizes count cores.
  """

  sizes: tuple[int, ...]
  runtime: str
  cores: int = 1


GENERATIONS = {
  "v5litepod": Generation(_SQUARES, "v2-alpha-tpuv5-lite"),
  # Parts of a cube of 64 chips, then whole cubes.
  "v5p": Generation(
    (8, 16, 32, 64, *range(128, 12289, 128)), "v2-alpha-tpuv5", 2
  ),
  "v6e": Generation(_SQUARES, "v2-alpha-tpuv6e"),
}


@dataclasses.dataclass(frozen=True)
class Slice:
  """An accelerator type, its chips, and the software for it by default."""

  type: str
  chips: int
  runtime: str


def find(accelerator: str) -> Slice:
  """The slice of that name, as "v5litepod-8"; an InputError if none has it."""
  named = re.fullmatch(r"([a-z0-9]+)-(\d+)", accelerator)
  generation = GENERATIONS.get(named[1]) if named else None
  if named is None or generation is None:
    known = ", ".join(f"{name}-N" for name in GENERATIONS)
    raise errors.InputError(
      f"--accelerator={accelerator}: no such type; there are {known}, for"
      " example v5litepod-8"
    )
  size = int(named[2])
  if size not in generation.sizes:
    nearest = sorted(generation.sizes, key=lambda one: abs(one - size))[:3]
    near = ", ".join(f"{named[1]}-{one}" for one in sorted(nearest))
    raise errors.InputError(
      f"--accelerator={accelerator}: {named[1]} has no slice of {size}; near it"
      f" are {near}"
    )
  return Slice(accelerator, size // generation.cores, generation.runtime)
