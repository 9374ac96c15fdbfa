"""Chips as published, and what a compiled decode step comes to on them."""

import dataclasses
from collections.abc import Iterable

from tts_jax.scaling import hlo, roofline


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chip:
  """One chip.

  Attributes:
    memory: bytes of its HBM.
    machine: what it does by itself, at bfloat16.
    link_bytes_per_second: over one link to a neighbour, one way.
  """

  memory: int
  machine: roofline.Machine
  link_bytes_per_second: float


def _chip(gigabytes: int, tera: float, read: float, link: float) -> Chip:
  return Chip(
    memory=gigabytes * 10**9,
    machine=roofline.Machine(
      bytes_per_second=read * 1e9, flops_per_second=tera * 1e12
    ),
    link_bytes_per_second=link * 1e9,
  )


# HBM, TFLOP/s and GB/s of HBM as Google Cloud's pages on each TPU say; GB/s of
# a link as "How to Scale Your Model" (Austin et al. 2025, "How to Think About
# TPUs") measured them, one way.
CHIPS = {
  "v5e": _chip(16, 197, 819, 45),
  "v5p": _chip(95, 459, 2765, 90),
  "v6e": _chip(32, 918, 1638, 90),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
  """Seconds of a step, by what takes them.

  Attributes:
    memory: a chip reads its part of weights and caches, once.
    arithmetic: a chip's part of the matrix products.
    interconnect: what a chip sends, over the links that the compiler uses at
      once; the time until the first byte arrives is not counted.
    floor: of the step on so many chips, if nothing were read twice nor sent.
  """

  memory: float
  arithmetic: float
  interconnect: float
  floor: float

  @property
  def seconds(self) -> float:
    """Of a step that sends while it neither reads nor computes."""
    return max(self.memory, self.arithmetic) + self.interconnect

  @property
  def overlapped(self) -> float:
    """Of one that does all at once."""
    return max(self.memory, self.arithmetic, self.interconnect)


def sending(chip: Chip, found: Iterable[hlo.Collective]) -> float:
  """Seconds that collectives take, one after another."""
  return sum(
    one.sent / (one.directions * chip.link_bytes_per_second) for one in found
  )


def estimate(
  work: roofline.Decoding,
  chip: Chip,
  chips: int,
  *,
  weight_bytes: int,
  cache_share: float,
  found: Iterable[hlo.Collective],
) -> Estimate:
  """What a step comes to.

  Args:
    work: of all chips together.
    chip: of which kind.
    chips: how many, over which rows and heads are split evenly.
    weight_bytes: that a chip holds of the weights that every token meets.
    cache_share: a chip's part of keys and values.
    found: collectives of a step.
  """
  one = chip.machine
  read = (
    weight_bytes + cache_share * work.cache_bytes + work.logit_bytes / chips
  )
  return Estimate(
    memory=read / one.bytes_per_second,
    arithmetic=work.flops / chips / one.flops_per_second,
    interconnect=sending(chip, found),
    floor=work.floor(
      roofline.Machine(
        bytes_per_second=chips * one.bytes_per_second,
        flops_per_second=chips * one.flops_per_second,
      )
    ),
  )
