"""A stage: a folder of Parquet shards, one for each batch of questions.

A shard is named `00012-<hash>.parquet` after its batch and the hash of its own
bytes, so a flipped bit or a cut end shows without a second file that could
itself be lost. The same rows give the same bytes, and so the same name.
"""

import dataclasses
import json
import pathlib
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tts_jax import errors, storage
from tts_jax.store import atomic

# From the bytes that this process made of a shard to those that are written.
Agree = Callable[[bytes], bytes]

_NAME = re.compile(r"(\d{5,})-([0-9a-f]{16})\.parquet")
_METADATA_KEY = b"tts_jax"
_FOREIGN = "not a shard of this program; remove it"


@dataclasses.dataclass(frozen=True)
class Origin:
  """What made a shard; kept in the Parquet file's own metadata.

  Attributes:
    batch: index of the batch of questions.
    config_hash: hash of the run's config.
    inputs_hash: hash of what the stage read: questions, parameters, shards.
  """

  batch: int
  config_hash: str
  inputs_hash: str


@dataclasses.dataclass(frozen=True)
class Dropped:
  """A file that cannot be used, and why."""

  name: str
  reason: str


@dataclasses.dataclass(frozen=True)
class Found:
  """A file with a shard's name.

  Attributes:
    path: of the file.
    fault: why it cannot be used; "" where it can.
    origin: what made it; None where its bytes are not what was written.
  """

  path: pathlib.Path
  fault: str
  origin: Origin | None = None


@dataclasses.dataclass(frozen=True)
class Report:
  """What a start found in a stage's folder.

  Attributes:
    kept: names of the whole shards, in order of their batches.
    dropped: files that were removed, with the reason.
  """

  kept: tuple[str, ...]
  dropped: tuple[Dropped, ...]

  def __str__(self) -> str:
    """One line to print."""
    line = f"kept {len(self.kept)} shards, dropped {len(self.dropped)}"
    named = "; ".join(f"{each.name} ({each.reason})" for each in self.dropped)
    return f"{line}: {named}" if named else line


class Stage:
  """A stage that one process writes, batch by batch, in any order.

  Made by `run.Run.stage`, which holds the lock. Making it removes what a kill
  or a bad disk left; `report` says what.

  Attributes:
    folder: where the shards are.
    schema: the columns of every shard.
    report: what the start found.
  """

  def __init__(
    self,
    folder: pathlib.Path,
    schema: pa.Schema,
    *,
    config_hash: str,
    inputs_hash: str,
    agree: Agree | None = None,
  ):
    """Reads what is whole in `folder` and removes what is not.

    Where several processes make the same stage, `agree` is what they agree on.

    Raises:
      InputError: a whole shard comes from another config, from other inputs
        or has other columns. Then nothing is removed.
    """
    self.folder = folder
    self.schema = schema
    self._config_hash = config_hash
    self._inputs_hash = inputs_hash
    self._agree = agree
    atomic.make_folder(folder)
    whole, broken = _scan(folder)
    for batch, path in whole.items():
      origin = _read_origin(path)
      assert origin is not None, "a whole shard has one"
      self._check(path, origin, self._origin(batch))
    for each in broken:
      (folder / each.name).unlink()
    left = [
      Dropped(name, "left by a writer that was killed")
      for name in atomic.remove_temporary(folder)
    ]
    self._whole = whole
    kept = tuple(whole[batch].name for batch in sorted(whole))
    self.report = Report(kept, (*broken, *left))

  def done(self) -> set[int]:
    """Indices of the batches that are written."""
    return set(self._whole)

  def write(self, batch: int, table: pa.Table) -> None:
    """Writes a batch's shard; on return it is safe from a power cut.

    Args:
      batch: index of the batch, 0 or more, not yet written.
      table: its rows, with the stage's schema.

    Raises:
      InputError: the disk is full; earlier shards are untouched.
      ValueError: the batch is negative or already written, or the table has
        another schema.
    """
    if batch < 0 or batch in self._whole:
      raise ValueError(f"batch {batch} is negative or already written")
    if not table.schema.equals(self.schema):
      raise ValueError(f"schema is {table.schema}, not {self.schema}")
    data = _encode(table, self._origin(batch))
    if self._agree is not None:
      data = self._agree(data)
    path = self.folder / f"{batch:05d}-{atomic.bytes_hash(data)}.parquet"
    atomic.write_bytes(path, data)
    self._whole[batch] = path

  def tables(self) -> Iterator[tuple[int, pa.Table]]:
    """Yields (batch, rows) of what is written, in order of batches."""
    for batch in sorted(self._whole):
      yield batch, _read_table(self._whole[batch], None)

  def read(self) -> pa.Table:
    """All rows written so far, in order of batches."""
    tables = [table for _, table in self.tables()]
    return pa.concat_tables(tables) if tables else self.schema.empty_table()

  def _origin(self, batch: int) -> Origin:
    return Origin(batch, self._config_hash, self._inputs_hash)

  def _check(self, path: pathlib.Path, origin: Origin, here: Origin) -> None:
    for name, thing in (
      ("config_hash", "another config"),
      ("inputs_hash", "other inputs"),
    ):
      old, new = getattr(origin, name), getattr(here, name)
      if old != new:
        raise errors.InputError(
          f"{path}: made from {thing} (hash {old}, now {new}); give"
          f" another folder, or remove {self.folder}"
        )
    columns = pq.read_schema(source(path))
    if not columns.equals(self.schema):
      raise errors.InputError(
        f"{path}: has columns {_columns(columns)}, but this program writes"
        f" {_columns(self.schema)}; give another folder"
      )


def read(
  folder: pathlib.Path, columns: Sequence[str] | None = None
) -> pa.Table:
  """Reads a stage without its lock, as from a notebook; removes nothing.

  Args:
    folder: a stage's folder; it may be in the middle of being written.
    columns: names of the columns to read; None reads all.

  Returns:
    The rows, in order of batches.

  Raises:
    InputError: the folder is missing or has no shard, or a shard is broken.
  """
  return pa.concat_tables(table for _, table in batches(folder, columns))


def batches(
  folder: pathlib.Path, columns: Sequence[str] | None = None
) -> Iterator[tuple[int, pa.Table]]:
  """Yields (batch, rows) in the order of batches; as `read`."""
  if not folder.is_dir():
    raise errors.InputError(f"{folder}: no such folder of shards")
  whole, broken = _scan(folder)
  if broken:
    raise errors.InputError(
      f"{folder / broken[0].name}: {broken[0].reason}; run the command that"
      " made it again, which replaces it"
    )
  if not whole:
    raise errors.InputError(f"{folder}: has no shards yet")
  for batch in sorted(whole):
    yield batch, _read_table(whole[batch], columns)


def content_hash(folders: Sequence[pathlib.Path]) -> str:
  """Hash of what stages hold, by the hashes that name their shards."""
  names = [
    path.name
    for folder in folders
    for path in sorted(folder.glob("*"))
    if is_shard(path)
  ]
  return atomic.bytes_hash(" ".join(names).encode())


def slices(lists: pa.ChunkedArray) -> Callable[[int], np.ndarray]:
  """From the index of a row to its list of numbers, without a copy."""
  whole = lists.combine_chunks()
  values, offsets = whole.values.to_numpy(), whole.offsets.to_numpy()
  return lambda index: values[offsets[index] : offsets[index + 1]]


def is_shard(path: pathlib.Path) -> bool:
  """Whether a file has a shard's name, be it whole or broken."""
  return _NAME.fullmatch(path.name) is not None


def source(path: pathlib.Path) -> pathlib.Path | pa.BufferReader:
  """What pyarrow reads a file from; its own way to gs:// is not ours."""
  return pa.BufferReader(path.read_bytes()) if storage.is_remote(path) else path


def inspect(folder: pathlib.Path) -> list[Found]:
  """Looks at every file with a shard's name, in the order of names.

  Files of other names are somebody else's.
  """
  return [
    _inspect(path)
    for path in sorted(folder.iterdir())
    if is_shard(path) and path.is_file()
  ]


def _inspect(path: pathlib.Path) -> Found:
  match = _NAME.fullmatch(path.name)
  assert match is not None
  if atomic.file_hash(path) != match[2]:
    return Found(path, "cut short or changed: its bytes do not match its name")
  origin = _read_origin(path)
  if origin is None:
    return Found(path, _FOREIGN)
  if origin.batch != int(match[1]):
    return Found(path, f"renamed: it holds batch {origin.batch}", origin)
  return Found(path, "", origin)


def _scan(
  folder: pathlib.Path,
) -> tuple[dict[int, pathlib.Path], tuple[Dropped, ...]]:
  """Sorts a folder's shards into whole ones by batch, and broken ones."""
  whole: dict[int, pathlib.Path] = {}
  broken = []
  for found in inspect(folder):
    if found.fault == _FOREIGN:
      raise errors.InputError(f"{found.path}: {_FOREIGN}")
    if found.fault or found.origin is None:
      broken.append(Dropped(found.path.name, found.fault))
      continue
    batch = found.origin.batch
    if batch in whole:
      # No run of ours leaves two, so neither can be said to be the right one.
      raise errors.InputError(
        f"{found.path}: {whole[batch].name} holds the same batch; remove one of"
        " them"
      )
    whole[batch] = found.path
  return whole, tuple(broken)


def _encode(table: pa.Table, origin: Origin) -> bytes:
  """Bytes of a Parquet file that depend on rows and origin alone."""
  record = json.dumps(dataclasses.asdict(origin), sort_keys=True)
  metadata = {_METADATA_KEY: record.encode()}
  # How the rows came together in memory must not show in the bytes.
  table = table.combine_chunks().replace_schema_metadata(metadata)
  sink = pa.BufferOutputStream()
  pq.write_table(table, sink, compression="zstd")
  return sink.getvalue().to_pybytes()


def _read_origin(path: pathlib.Path) -> Origin | None:
  """What made a shard; None of a file that is none of this program's."""
  try:
    metadata = pq.read_schema(source(path)).metadata or {}
    return Origin(**json.loads(metadata[_METADATA_KEY]))
  except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
    return None


def _read_table(path: pathlib.Path, columns: Sequence[str] | None) -> pa.Table:
  # Not `pq.read_table`: it makes columns of folders named like "seed=3".
  with pq.ParquetFile(source(path)) as file:
    lacking = {*(columns or ())} - {*file.schema_arrow.names}
    if lacking:
      raise errors.InputError(
        f"{path}: has columns {_columns(file.schema_arrow)}, and no"
        f" {min(lacking)}; it is of another stage"
      )
    try:
      table = file.read(columns=columns)
    except (OSError, pa.ArrowException) as error:
      said = " ".join(str(error).split())
      raise errors.InputError(f"{path}: {said}; remove it") from error
  return table.replace_schema_metadata(None)


def _columns(schema: pa.Schema) -> str:
  return ", ".join(f"{field.name} {field.type}" for field in schema)
