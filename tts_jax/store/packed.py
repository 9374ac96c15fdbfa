"""A run in a few small files, to ship: what it drew is not drawn again.

A stage is one file, its rows in the order of their batches. Columns that take
room and that nothing reads later are empty in it.
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tts_jax import errors, storage
from tts_jax.store import atomic, manifest, run, shards

# In a run's folder: stages of it were packed, not drawn.
MARK = "shipped.json"
MANIFEST, _BATCH = "packed.json", "batch"
# The smallest that Parquet makes of it; reading is as fast.
_COMPRESSION: Any = {"compression": "zstd", "compression_level": 19}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Packed:
  """A packed run.

  Attributes:
    folder: its files.
    config: of the run.
    made_for: hashes of what it was made from.
    commit: of the code that began it.
    stages: how many batches each holds.
    hashes: of each stage's file, as `atomic.file_hash`.
    files: JSON files that stood beside its stages.
  """

  folder: pathlib.Path
  config: Mapping[str, Any]
  made_for: Mapping[str, str]
  commit: str
  stages: Mapping[str, int]
  hashes: Mapping[str, str]
  files: Mapping[str, Any]

  def differences(
    self, config: Mapping[str, Any], default: Mapping[str, Any]
  ) -> list[str]:
    """Where a config is another than the run's, as `manifest.differences`.

    A key that came after it was packed makes none at its default.

    Args:
      config: of a run.
      default: what it is where nothing is changed.
    """
    since = [
      line
      for line in manifest.differences(self.config, default)
      if manifest.is_addition(line)
    ]
    found = manifest.differences(self.config, config)
    return [line for line in found if line not in since]

  def begin(self, folder: run.Run) -> None:
    """Writes `MARK`, and the files beside stages where they are missing.

    Where one names the config that it is of, that is now the run's.
    """
    for name, value in self.files.items():
      if not (folder.path / name).exists():
        mine = {"config_hash": folder.config_hash}
        told = {**value, **mine} if set(mine) <= set(value) else value
        folder.write_json(name, told)
    told = {"commit": self.commit, "stages": list(self.stages)}
    folder.write_json(MARK, told)

  def fill(self, name: str, stage: shards.Stage) -> int:
    """Writes what the stage `name` lacks and is here; returns the batches.

    Raises:
      InputError: its file is missing, broken or of other columns; the disk is
        full.
    """
    if name not in self.stages:
      return 0
    path, rows = self.folder / f"{name}.parquet", self._read(name)
    own = rows.schema.remove_metadata()
    if not own.equals(stage.schema.append(_batch_field())):
      raise errors.InputError(
        f"{path}: its columns are {', '.join(own.names)}, not as this program"
        f" packs {name}; pack the run anew with launch.pack_run"
      )
    batches, starts, counts = np.unique(
      rows[_BATCH].to_numpy(), return_index=True, return_counts=True
    )
    rows = rows.drop_columns(_BATCH).replace_schema_metadata(None)
    done = stage.done()
    for batch, start, count in zip(batches, starts, counts, strict=True):
      if batch not in done:
        stage.write(int(batch), rows.slice(start, count))
    return len(stage.done()) - len(done)

  def rows(self, name: str) -> pa.Table:
    """All rows of the stage `name`, in the order of their batches.

    Raises:
      InputError: there is no such stage, or its file is missing or broken.
    """
    if name not in self.stages:
      raise errors.InputError(
        f"{self.folder}: has no stage {name!r}; it has {', '.join(self.stages)}"
      )
    return self._read(name).drop_columns(_BATCH)

  def _read(self, name: str) -> pa.Table:
    path = self.folder / f"{name}.parquet"
    if path.is_file() and atomic.file_hash(path) != self.hashes.get(name):
      raise errors.InputError(
        f"{path}: not the file that was packed, by its hash; install anew"
      )
    try:
      return pq.ParquetFile(shards.source(path)).read()
    except (OSError, pa.ArrowException) as error:
      said = " ".join(str(error).split())
      raise errors.InputError(f"{path}: {said}; install anew") from error


def pack(
  source: str | os.PathLike[str],
  folder: str | os.PathLike[str],
  stages: Mapping[str, Sequence[str]],
  *,
  made_for: Mapping[str, str],
  commit: str,
  files: Sequence[str] = (),
  without: Mapping[str, pc.Expression] | None = None,
) -> None:
  """Packs a run.

  Args:
    source: the run's folder.
    folder: where its files go; it is made.
    stages: those that are packed, and of each the columns of lists that are
      empty in it.
    made_for: hashes of what the run was made from.
    commit: of the code that began it.
    files: names of JSON files beside the stages, to be kept.
    without: rows of a stage that are left out, with their whole batches.

  Raises:
    InputError: there is no stage; one, or a file, is missing or broken.
  """
  source, folder = storage.at(source), storage.at(folder)
  if not stages:
    raise errors.InputError(f"{source}: has no stage to pack; not a run")
  atomic.make_folder(folder)
  counts = {}
  for name, emptied in stages.items():
    tables = []
    for batch, table in shards.batches(source / name):
      if without and name in without:
        table = table.filter(~without[name])
      for column in emptied:
        table = _emptied(table, column)
      field = _batch_field()
      number = pa.array([batch] * table.num_rows, field.type)
      tables.append(table.append_column(field, number))
    rows = pa.concat_tables(tables).combine_chunks()
    counts[name] = len(pc.unique(rows[_BATCH]))
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, **_COMPRESSION)
    atomic.write_bytes(folder / f"{name}.parquet", sink.getvalue().to_pybytes())
  record = {
    "schema_version": manifest.SCHEMA_VERSION,
    "config": manifest.read_config(source / run.CONFIG_FILE),
    "made_for": dict(made_for),
    "commit": commit,
    "stages": counts,
    "hashes": {
      name: atomic.file_hash(folder / f"{name}.parquet") for name in counts
    },
    "files": {name: json.loads((source / name).read_text()) for name in files},
  }
  atomic.write_json(folder / MANIFEST, record)


def load(folder: str | os.PathLike[str]) -> Packed:
  """Reads what `pack` wrote; its stages stay on disk.

  Raises:
    InputError: there is none, it is of another version, or lacks a field.
  """
  folder = storage.at(folder)
  path = folder / MANIFEST
  manifest.read_config(path)  # Its faults, said as those of a run's config.
  record = json.loads(path.read_text(encoding="utf-8"))
  del record["schema_version"]
  wanted = {field.name for field in dataclasses.fields(Packed)} - {"folder"}
  if wrong := sorted(wanted ^ set(record)):
    fault = "missing" if wrong[0] in wanted else "unknown"
    raise errors.InputError(f"{path}: field {wrong[0]!r} is {fault}")
  for name, value in record.items():
    if not isinstance(value, str if name == "commit" else dict):
      raise errors.InputError(
        f"{path}: field {name!r} is a {type(value).__name__}; pack the run anew"
        " with launch.pack_run"
      )
  return Packed(folder=folder, **record)


def is_packed(folder: pathlib.Path) -> bool:
  """Whether `pack` wrote into this folder."""
  return (folder / MANIFEST).is_file()


def _batch_field() -> pa.Field:
  return pa.field(_BATCH, pa.int32())


def _emptied(table: pa.Table, column: str) -> pa.Table:
  place = table.schema.get_field_index(column)
  field = table.schema.field(place)
  return table.set_column(
    place, field, pa.array([[]] * table.num_rows, field.type)
  )
