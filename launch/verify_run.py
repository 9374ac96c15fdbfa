"""Checks the folder of a run, or of a packed one: is all there, and whole?

  python -m launch.verify_run --run runs/reproduce

Reads every file and changes none: shards by the hashes that name them, what
they were made from, batches and rows that are missing or there twice; JSON,
weights, checkpoints, what launch.pack_run packed. Prints a line for each stage,
and names each fault with its file. Ends with status 0 where there is none,
otherwise with 1.
"""

import pathlib
import sys
from collections.abc import Iterator

import ml_collections
from absl import flags, logging

from launch import entry, planning
from tts_jax import errors
from tts_jax.store import audit, manifest, run
from tts_jax.train import checkpoints

_RUN = flags.DEFINE_string("run", None, "Folder of the run.")


def main(_: list[str]) -> None:
  """Prints what it finds."""
  if not _RUN.value:
    raise errors.InputError("no run is given; give --run FOLDER")
  logging.set_verbosity(logging.FATAL)  # Orbax logs what it raises, too.
  faults = 0
  with run.reading(_RUN.value) as folder:
    for part in _parts(folder):
      print(part, *part.faults, sep="\n  ", flush=True)
      faults += len(part.faults)
  print(f"{folder}: {faults or 'no'} fault{'s' * (faults != 1)}")
  sys.exit(faults > 0)


def _parts(folder: pathlib.Path) -> Iterator[audit.Part]:
  packed = list(audit.packs(folder))
  yield from packed
  if not packed:
    yield from _stages(folder)
  kept = (run.CHECKPOINTS, run.BEST)
  for name in kept:
    if (folder / name).is_dir():
      yield _states(folder / name)
  yield from audit.files(folder, without=kept)


def _stages(folder: pathlib.Path) -> Iterator[audit.Part]:
  try:
    config = manifest.read_config(folder / run.CONFIG_FILE)
    searched = None
    if "search" in config and "methods" in config["search"]:
      searched = len(planning.cells(ml_collections.ConfigDict(config)))
    asked = audit.wanted(folder, searched=searched)
  except errors.InputError as error:
    yield audit.Part(name="config", told="unknown", faults=[str(error)])
  else:
    yield from audit.stages(folder, asked)


def _states(folder: pathlib.Path) -> audit.Part:
  faults, states = [], checkpoints.states(folder)
  for path in states:
    if found := checkpoints.changed(path):
      faults += found
      continue
    try:
      checkpoints.read(path)
    except Exception as error:  # What orbax raises has no common kind.
      faults.append(f"{path}: cannot be read: {error}".splitlines()[0])
  told = f"{len(states)} states"
  return audit.Part(name=folder.name, told=told, faults=faults)


if __name__ == "__main__":
  entry.run(main)
