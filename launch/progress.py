"""What a run's folder has already."""

import dataclasses

from launch import outlook
from tts_jax import json_input, storage
from tts_jax.store import run, shards

_USAGE = "usage.json"


def measured(out: str, part: outlook.Part) -> outlook.Part:
  """It at the rate of what is in the folder, where that has been timed."""
  path = storage.at(out) / _USAGE
  if not part.done or not path.is_file():
    return part
  seconds = json_input.read_object(path)["seconds"] / part.done
  basis = f"{part.name} as what is done took"
  return dataclasses.replace(part, seconds=seconds, basis=basis)


def done(out: str, stage: str, shards_: int) -> float:
  """Share of so many shards of a stage that its folder has."""
  folder = storage.at(out) / stage
  found = map(shards.is_shard, folder.iterdir()) if folder.is_dir() else ()
  return min(1.0, sum(found) / max(1, shards_))


def reached(out: str) -> int:
  """The step of the last state that training has left; 0 where it has none."""
  folder = storage.at(out) / run.CHECKPOINTS
  states = folder.iterdir() if folder.is_dir() else ()
  return max((int(p.name) for p in states if p.name.isdecimal()), default=0)
