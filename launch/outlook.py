"""What a run will do, said before it does it; with --dry_run nothing else."""

import dataclasses
import math
import pathlib
import sys
from collections.abc import Iterable, Sequence

import ml_collections
from absl import flags

from launch import device_memory
from tts_jax import storage

flags.disclaim_key_flags()  # So that --help counts them as the launcher's own.


@dataclasses.dataclass(frozen=True)
class Part:
  """One kind of work.

  Attributes:
    name: of it.
    size: how much it is, in words.
    tokens: that pass through a model, at most; None: not counted.
    flops: of these.
    seconds: that it takes; None: no rate is at hand.
    basis: what the seconds rest on.
    done: share that is in the folder already.
  """

  name: str
  size: str
  tokens: float | None = 0.0
  flops: float = 0.0
  seconds: float | None = 0.0
  basis: str = ""
  done: float = 0.0

  def __str__(self) -> str:
    return f"{self.name}: {self.size}, {self.done:.0%} done"


def out_flag(default: str | None, help_: str) -> flags.FlagHolder:
  """Defines --out, and --dry_run beside it."""
  flags.DEFINE_bool("dry_run", False, "Say what would be done; write nothing.")
  return flags.DEFINE_string("out", default, help_)


def begin(
  out: str | pathlib.Path,
  *parts: Part,
  config: ml_collections.ConfigDict | None = None,
  memory: Iterable[tuple[str, int]] = (),
) -> None:
  """Prints what will be done, in a line; with --dry_run all, and leaves.

  Args:
    out: where it goes.
    parts: what it is, in order.
    config: of the models that draw, if any.
    memory: names, and bytes on each device, of what else is there.
  """
  if not flags.FLAGS.dry_run:
    return print(f"to {out}:", *map("{};".format, parts), _cost(parts))
  print(f"to {out}, {'there' if storage.at(out).exists() else 'new'}:")
  for part in parts:
    print(f"  {part}; {_cost([part])}")
  taken = [*memory, *(device_memory.here(config) if config else ())]
  whole = "in all, on each device", sum(size for _, size in taken)
  for name, size in [*taken, whole]:
    print(f"  {size:>18,} bytes  {name}")
  print(f"left, of texts at their limits: {_cost(parts)}; nothing is written")
  sys.exit(0)


def _cost(parts: Sequence[Part]) -> str:
  """What is left of them takes."""
  left = [(1 - part.done, part) for part in parts]
  tokens = math.fsum(share * (part.tokens or 0) for share, part in left)
  flops = math.fsum(share * part.flops for share, part in left)
  said = f"at most {tokens:.2g} tokens and {flops:.2g} FLOPs"
  if some := [part.name for part in parts if part.tokens is None]:
    said += f", without {', '.join(some)}"
  if unknown := ", ".join(one.name for one in parts if one.seconds is None):
    return f"{said}; no rate of {unknown} has been measured"
  seconds = math.fsum(share * (part.seconds or 0) for share, part in left)
  basis = ", ".join(dict.fromkeys(p.basis for p in parts if p.basis))
  about = f"about {seconds / 60:.0f} min" if seconds >= 60 else "under a minute"
  return f"{said}; {about}" + f" ({basis})" * bool(basis)
