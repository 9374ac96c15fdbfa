"""Shards: what is whole is kept, what is not is named and done again."""

import pathlib

import pyarrow as pa
import pytest
import store_writer

from tts_jax import errors
from tts_jax.store import shards

SCHEMA = store_writer.SCHEMA


def _open(folder, config_hash="config", inputs_hash="inputs", schema=SCHEMA):
  return shards.Stage(
    folder, schema, config_hash=config_hash, inputs_hash=inputs_hash
  )


@pytest.fixture
def folder(tmp_path) -> pathlib.Path:
  """Batches 0 to 3; "=" would be a partition to pyarrow's own reader."""
  stage = _open(tmp_path / "seed=3")
  for batch in (2, 0, 3, 1):
    stage.write(batch, store_writer.batch_table(batch))
  return stage.folder


def _shard(folder, batch):
  (path,) = folder.glob(f"{batch:05d}-*.parquet")
  return path


def test_rows_come_back_in_order_of_batches(folder):
  stage = _open(folder)
  expected = pa.concat_tables(map(store_writer.batch_table, range(4)))
  assert stage.done() == {0, 1, 2, 3}
  assert stage.read().equals(expected)
  assert stage.read().schema.equals(SCHEMA)
  assert stage.read().schema.metadata is None
  assert [batch for batch, _ in stage.tables()] == [0, 1, 2, 3]
  assert all(
    table.equals(store_writer.batch_table(batch))
    for batch, table in stage.tables()
  )
  assert shards.read(folder).equals(expected)
  assert shards.read(folder, ["row"]).column_names == ["row"]
  assert str(stage.report) == "kept 4 shards, dropped 0"


def test_a_new_stage_is_empty(tmp_path):
  stage = _open(tmp_path / "new")
  assert stage.done() == set()
  assert stage.read().equals(SCHEMA.empty_table())


def test_bytes_depend_on_rows_and_origin_alone(tmp_path):
  table = store_writer.batch_table(7)
  pieces = pa.concat_tables(table.slice(i, 5) for i in range(0, 50, 5))
  inside = pa.concat_tables([store_writer.batch_table(1), table]).slice(50)
  metadata = table.replace_schema_metadata({"who": "else"})
  names = set()
  for i, same in enumerate([table, pieces, inside, metadata]):
    stage = _open(tmp_path / str(i))
    stage.write(7, same)
    names.add(_shard(stage.folder, 7).name)
  assert len(names) == 1
  for i, origin in enumerate([("other", "inputs"), ("config", "other")]):
    stage = _open(tmp_path / f"origin{i}", *origin)
    stage.write(7, table)
    names.add(_shard(stage.folder, 7).name)
  assert len(names) == 3


def test_every_flipped_byte_and_every_cut_shows(folder):
  path = _shard(folder, 1)
  data = path.read_bytes()
  for place in range(0, len(data), 97):
    flipped = bytearray(data)
    flipped[place] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(errors.InputError, match=f"{path.name}: cut short or"):
      shards.read(folder)
    path.write_bytes(data[:place])
    with pytest.raises(errors.InputError, match=f"{path.name}: cut short or"):
      shards.read(folder)
  path.write_bytes(data)
  assert shards.read(folder).num_rows == 200


def test_start_drops_what_is_broken_and_says_so(folder):
  before = {path.name: path.read_bytes() for path in folder.iterdir()}
  flipped, cut, moved = (_shard(folder, batch) for batch in (0, 1, 3))
  data = bytearray(flipped.read_bytes())
  data[len(data) // 2] ^= 0x10
  flipped.write_bytes(data)
  cut.write_bytes(cut.read_bytes()[:-1])
  renamed = moved.rename(folder / moved.name.replace("00003", "00009"))
  temporary = folder / ".00004-0123456789abcdef.parquet.77.tmp"
  temporary.write_bytes(b"half")
  (folder / "notes.txt").write_text("mine")
  stage = _open(folder)
  assert stage.done() == {2}
  assert stage.report.kept == (_shard(folder, 2).name,)
  reasons = {each.name: each.reason for each in stage.report.dropped}
  assert reasons.keys() == {
    flipped.name,
    cut.name,
    renamed.name,
    temporary.name,
  }
  assert "bytes do not match" in reasons[flipped.name]
  assert "bytes do not match" in reasons[cut.name]
  assert "holds batch 3" in reasons[renamed.name]
  assert "killed" in reasons[temporary.name]
  assert flipped.name in str(stage.report)
  for batch in (0, 1, 3):
    stage.write(batch, store_writer.batch_table(batch))
  assert (folder / "notes.txt").read_text() == "mine"
  (folder / "notes.txt").unlink()
  assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
  ("changed", "named"),
  [
    ({"config_hash": "new"}, r"another config \(hash config, now new\)"),
    ({"inputs_hash": "new"}, r"other inputs \(hash inputs, now new\)"),
    (
      {"schema": SCHEMA.remove(1)},
      r"has columns row int64, text string, .*writes row int64, values",
    ),
  ],
)
def test_another_origin_is_refused_and_nothing_removed(folder, changed, named):
  (folder / ".x.1.tmp").write_bytes(b"half")
  _shard(folder, 3).write_bytes(b"broken")
  before = {path.name: path.read_bytes() for path in folder.iterdir()}
  with pytest.raises(errors.InputError, match=named):
    _open(folder, **changed)
  assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_two_shards_of_a_batch_are_refused(folder, tmp_path):
  other = _open(tmp_path / "other")
  other.write(1, store_writer.batch_table(5))
  path = _shard(other.folder, 1)
  path.rename(folder / path.name)
  with pytest.raises(errors.InputError, match="holds the same batch"):
    _open(folder)


def test_nothing_is_written_twice(folder):
  stage = _open(folder)
  with pytest.raises(ValueError, match="batch 1 is negative or already"):
    stage.write(1, store_writer.batch_table(1))
  with pytest.raises(ValueError, match="batch -1 is negative or already"):
    stage.write(-1, store_writer.batch_table(1))
  stage.write(4, store_writer.batch_table(4))
  with pytest.raises(ValueError, match="already"):
    stage.write(4, store_writer.batch_table(4))


def test_another_schema_is_not_written(folder):
  with pytest.raises(ValueError, match="schema is"):
    _open(folder).write(4, store_writer.batch_table(4).drop(["text"]))


def test_reading_where_nothing_is(tmp_path):
  with pytest.raises(errors.InputError, match="no such folder"):
    shards.read(tmp_path / "absent")
  with pytest.raises(errors.InputError, match="has no shards yet"):
    shards.read(tmp_path)


def test_reading_removes_nothing(folder):
  (folder / ".x.1.tmp").write_bytes(b"half")
  _shard(folder, 3).write_bytes(b"broken")
  before = {path.name for path in folder.iterdir()}
  with pytest.raises(errors.InputError, match="cut short"):
    shards.read(folder)
  assert {path.name for path in folder.iterdir()} == before
