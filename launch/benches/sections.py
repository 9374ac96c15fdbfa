"""The sections of `launch.bench`, by the names that a config gives them."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import ml_collections

from launch import outlook, throughput
from launch.benches import (
  decode,
  estimates,
  grading,
  labels,
  pool,
  precisions,
  prefill,
  revisions,
  search,
  shapes,
  train,
)
from tts_jax import errors


class Section(NamedTuple):
  """What is timed, and minutes of it at the defaults on two CPU cores."""

  lines: Callable[[ml_collections.ConfigDict], Iterator[throughput.Line]]
  minutes: float


ALL = {
  "decode": Section(decode.lines, 9),
  "prefill": Section(prefill.lines, 1),
  "search": Section(search.lines, 3),
  "revisions": Section(revisions.lines, 1),
  "labels": Section(labels.lines, 1),
  "pool": Section(pool.lines, 7),
  "precisions": Section(precisions.lines, 9),
  "grading": Section(grading.lines, 1),
  "estimates": Section(estimates.lines, 2),
  "train": Section(train.lines, 2),
}


def find(names: Sequence[str]) -> dict[str, Section]:
  """Those that `config.sections` asks for, in its order.

  Raises:
    InputError: there is no such section, or none is asked for.
  """
  if isinstance(names, str):
    names = (names,)
  known = ", ".join(ALL)
  for name in names:
    if name not in ALL:
      raise errors.InputError(
        f"config.sections has {name!r}; it must be of {known}"
      )
  if not names:
    raise errors.InputError(
      f"config.sections is empty; it must have some of {known}"
    )
  return {name: ALL[name] for name in names}


def parts(
  config: ml_collections.ConfigDict, wanted: dict[str, Section]
) -> list[outlook.Part]:
  """What they take at the defaults on two CPU cores, compiling included."""
  basis = "at the defaults on two CPU cores"
  found = {
    name: outlook.Part(name=name, size="a section", tokens=None)
    for name in wanted
  }
  if "decode" in found:
    found["decode"] = shapes.part(config, "decode", config.decode)
  return [
    dataclasses.replace(part, seconds=60 * wanted[name].minutes, basis=basis)
    for name, part in found.items()
  ]
