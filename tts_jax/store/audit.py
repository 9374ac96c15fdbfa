"""Checking a run's folder: what is in it that should not be, or is not.

A fault is a line that begins with the file, or the folder, that has it. Nothing
is changed.
"""

import collections
import dataclasses
import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import safetensors

from tts_jax import storage
from tts_jax.store import (
  answers,
  atomic,
  chains,
  labels,
  manifest,
  packed,
  pool,
  run,
  scores,
  searches,
  shards,
  step_scores,
  trajectories,
)

_SAMPLES = ("question_id", "sample")
# Of each stage, its columns, and those of them that tell its rows apart: the
# last of these takes the same values in all groups of the others.
_STAGES = {
  pool.STAGE: (pool.SCHEMA, _SAMPLES),
  scores.STAGE: (scores.SCHEMA, _SAMPLES),
  labels.STAGE: (labels.SCHEMA, _SAMPLES),
  chains.STAGE: (chains.SCHEMA, _SAMPLES),
  chains.OF_SEARCH: (chains.SCHEMA, _SAMPLES),
  **dict.fromkeys(
    (*chains.SCORES.values(), chains.SCORES_OF_SEARCH),
    (chains.SCORES_SCHEMA, _SAMPLES),
  ),
  searches.STAGE: (
    searches.SCHEMA,
    ("method", "budget", "seed", "question_id"),
  ),
  answers.PLACES: (answers.PLACES_SCHEMA, ("question_id",)),
  answers.STAGE: (answers.SCHEMA, ("index",)),
  # As many of a question as its samples offer.
  trajectories.STAGE: (trajectories.SCHEMA, ()),
}
_SOLUTIONS = step_scores.SCHEMA, ("id",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
  """A part of a folder, as it was found.

  Attributes:
    name: of the stage, or what the files are.
    told: how much there is of it.
    faults: what is wrong, each beginning with a path.
  """

  name: str
  told: str
  faults: Sequence[str]

  def __str__(self) -> str:
    """One line to print."""
    count = len(self.faults)
    said = f"{count} fault{'s' * (count > 1)}" if count else "whole"
    return f"{self.name}: {self.told}: {said}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
  """What a run is to hold, as far as it says so; None where it does not.

  Attributes:
    config_hash: of its config.
    questions: Q.
    batch: questions a shard.
    samples: of each question, by stage.
    searches: on all questions.
  """

  config_hash: str
  questions: int | None
  batch: int | None
  samples: Mapping[str, int]
  searches: int | None

  def shards(self, stage: str) -> int | None:
    """How many shards a stage is to have."""
    even = stage in _STAGES and stage != answers.STAGE
    if not even or not self.questions or not self.batch:
      return None
    mine = -(-self.questions // self.batch)
    if stage != searches.STAGE:
      return mine
    return self.searches and self.searches * mine


def wanted(folder: pathlib.Path, *, searched: int | None) -> Wanted:
  """What a run's config and its number of questions ask for.

  Args:
    folder: of the run.
    searched: how many searches its config asks for; None: not known.

  Raises:
    InputError: its config cannot be read.
  """
  config = manifest.read_config(folder / run.CONFIG_FILE)
  samples = {}
  if isinstance(count := config.get("samples"), int):
    samples = dict.fromkeys((pool.STAGE, scores.STAGE, labels.STAGE), count)
  if "chains" in config and "length" in config:
    samples[chains.STAGE] = config["chains"] * config["length"]
  engine = config.get("engine")
  source = engine if isinstance(engine, dict) else config
  return Wanted(
    config_hash=manifest.config_hash(config),
    questions=pool.expected(folder),
    batch=source.get("batch"),
    samples=samples,
    searches=searched,
  )


def stages(folder: pathlib.Path, asked: Wanted) -> Iterator[Part]:
  """Yields each stage of a run, checked."""
  for path in sorted(folder.iterdir()):
    if path.is_dir() and (
      path.name in _STAGES or any(map(shards.is_shard, path.iterdir()))
    ):
      yield _stage(path, asked)


def _stage(folder: pathlib.Path, asked: Wanted) -> Part:
  schema, key = _STAGES.get(folder.name, (None, ()))
  if folder.name.startswith(step_scores.stage("")):
    schema, key = _SOLUTIONS
  found = shards.inspect(folder)
  whole = {one.path: one.origin for one in found if one.origin}
  faults = [f"{one.path}: {one.fault}" for one in found if one.fault]
  faults += _origins(whole, asked.config_hash)
  faults += _batches(folder, whole, asked.shards(folder.name))
  told = {path: pq.read_metadata(shards.source(path)) for path in whole}
  for path, one in told.items():
    mine = one.schema.to_arrow_schema()
    if schema is not None and not mine.equals(schema):
      faults.append(f"{path}: has other columns than a shard of its stage")
  rows = sum(one.num_rows for one in told.values())
  if key and rows and not faults:  # What is missing lacks rows, too.
    faults += _rows(folder, shards.read(folder, key), key, asked)
  if folder.name == trajectories.STAGE:
    faults += _summary(folder, rows)
  said = f"{len(found)} shards, {rows:,} rows"
  return Part(name=folder.name, told=said, faults=faults)


def _origins(
  whole: Mapping[pathlib.Path, shards.Origin], config_hash: str
) -> Iterator[str]:
  inputs = collections.Counter(one.inputs_hash for one in whole.values())
  for path, origin in whole.items():
    if origin.config_hash != config_hash:
      yield (
        f"{path}: of another run: made from config {origin.config_hash}, this"
        f" one's is {config_hash}"
      )
    elif origin.inputs_hash != (most := inputs.most_common(1)[0][0]):
      yield (
        f"{path}: made from other inputs ({origin.inputs_hash}) than the rest"
        f" of its stage ({most})"
      )


def _batches(
  folder: pathlib.Path,
  whole: Mapping[pathlib.Path, shards.Origin],
  count: int | None,
) -> Iterator[str]:
  first: dict[int, pathlib.Path] = {}
  for path, origin in whole.items():
    if origin.batch in first:
      yield (
        f"{path}: batch {origin.batch} is there twice, also as"
        f" {first[origin.batch].name}"
      )
    first.setdefault(origin.batch, path)
  last = max(first, default=-1) + 1
  if absent := sorted(set(range(count or last)) - set(first)):
    named = ", ".join(map(str, absent[:8])) + ", ..." * (len(absent) > 8)
    yield (
      f"{folder}: of {count or last} batches there is no {named}; the command"
      " that makes them goes on"
    )
  for batch in sorted(set(first) - set(range(count or last))):
    yield f"{first[batch]}: batch {batch} of a stage of {count} batches"


def _rows(
  folder: pathlib.Path, rows: pa.Table, key: Sequence[str], asked: Wanted
) -> Iterator[str]:
  """What is there twice or not at all, of a stage whose shards are whole."""
  *group, last = key
  for one in _groups(rows, key):
    if one["count_all"] > 1:
      yield f"{folder}: {_named(one, key)} is there {one['count_all']} times"
  if not group:
    if key != _SOLUTIONS[1] and asked.questions not in (None, rows.num_rows):
      yield f"{folder}: has {rows.num_rows} of {asked.questions} questions"
    return
  found = list(_groups(rows, group))
  most, groups = asked.samples.get(folder.name), asked.questions
  if last == "question_id":
    most, groups = asked.questions, asked.searches
  most = most or max(one["count_all"] for one in found)
  for one in found:
    if one["count_all"] != most:
      yield f"{folder}: {_named(one, group)} has {one['count_all']} of {most}"
  if groups not in (None, len(found)):
    yield f"{folder}: has {len(found)} of {groups} by {', '.join(group)}"


def _summary(folder: pathlib.Path, rows: int) -> Iterator[str]:
  """Whether there are as many trajectories as their summary says."""
  path = folder.parent / trajectories.SUMMARY
  if path.is_file() and not _json(path):
    said = json.loads(path.read_text()).get("trajectories", rows)
    if said != rows:
      yield f"{folder}: has {rows} rows, its summary says {said}"


def _groups(rows: pa.Table, key: Sequence[str]) -> list[dict[str, Any]]:
  return rows.group_by(list(key)).aggregate([([], "count_all")]).to_pylist()


def _named(one: Mapping[str, Any], key: Sequence[str]) -> str:
  return ", ".join(f"{name} {one[name]}" for name in key)


def packs(folder: pathlib.Path) -> Iterator[Part]:
  """Yields what `packed.pack` wrote, checked; nothing of another folder."""
  if not packed.is_packed(folder):
    return
  found = packed.load(folder)
  faults = []
  for name, wanted_hash in found.hashes.items():
    path = folder / f"{name}.parquet"
    if not path.is_file():
      faults.append(f"{path}: missing")
    elif atomic.file_hash(path) != wanted_hash:
      faults.append(f"{path}: cut short or changed: its bytes do not match")
  yield Part(name="packed", told=f"{len(found.hashes)} stages", faults=faults)


def files(folder: pathlib.Path, *, without: Sequence[str]) -> Iterator[Part]:
  """Yields the JSON files and the weights of a folder and those in it.

  Args:
    folder: of the run.
    without: names of folders that are left out.
  """
  readers = {"JSON": _json, "weights": _weights}
  suffixes = {".json": "JSON", ".jsonl": "JSON", ".safetensors": "weights"}
  found: dict[str, list[str]] = {name: [] for name in readers}
  counts = collections.Counter[str]()
  for path in sorted(folder.rglob("*")):
    kind = suffixes.get(path.suffix)
    if kind and not set(path.relative_to(folder).parts) & set(without):
      counts[kind] += 1
      if fault := readers[kind](path):
        found[kind].append(f"{path}: {fault}")
  for name, faults in found.items():
    if counts[name]:
      yield Part(name=name, told=f"{counts[name]} files", faults=faults)


def _json(path: pathlib.Path) -> str:
  text = path.read_bytes()
  try:
    for line in text.splitlines() if path.suffix == ".jsonl" else [text]:
      json.loads(line)
  except ValueError as error:
    return f"not JSON: {error}"
  return ""


def _weights(path: pathlib.Path) -> str:
  try:
    if storage.is_remote(path):
      safetensors.deserialize(path.read_bytes())
      return ""
    with safetensors.safe_open(path, "numpy"):
      return ""
  except (OSError, safetensors.SafetensorError) as error:
    return f"not a whole safetensors file: {error}"
