"""A run in a few files: filled from them, and what is wrong with them said."""

import json

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tts_jax import errors
from tts_jax.store import manifest, packed, run

_SCHEMA = pa.schema(
  [
    pa.field("n", pa.int32(), nullable=False),
    pa.field("values", pa.list_(pa.float32()), nullable=False),
  ]
)
_CONFIG = {"a": 1}


def _batch(number):
  rows = [{"n": 3 * number + k, "values": [0.5] * k} for k in range(3)]
  return pa.Table.from_pylist(rows, _SCHEMA)


def _packed(tmp_path, **settings):
  with run.Run.open(tmp_path / "run", _CONFIG) as folder:
    stage = folder.stage("drawn", _SCHEMA, "inputs")
    for number in (2, 0, 1):
      stage.write(number, _batch(number))
    folder.write_json("spent.json", {"seconds": 1, "config_hash": "old"})
  packed.pack(
    tmp_path / "run",
    tmp_path / "packed",
    settings.pop("stages", {"drawn": ()}),
    made_for={"model": "hash"},
    commit="c",
    files=("spent.json",),
    **settings,
  )
  return packed.load(tmp_path / "packed")


def _fill(tmp_path, source, first=()):
  with run.Run.open(tmp_path / "other", _CONFIG) as folder:
    source.begin(folder)
    for number in first:
      stage = folder.stage("drawn", _SCHEMA, "other inputs")
      stage.write(number, _batch(number))
    folder.source = source
    return folder.stage("drawn", _SCHEMA, "other inputs")


def test_a_stage_is_filled_with_what_was_packed(tmp_path):
  source = _packed(tmp_path)
  assert (source.config, source.commit) == (_CONFIG, "c")
  assert source.made_for == {"model": "hash"}
  assert source.stages == {"drawn": 3}
  stage = _fill(tmp_path, source)
  assert stage.done() == {0, 1, 2}
  for number, table in stage.tables():
    assert table.equals(_batch(number))
  spent = tmp_path / "other" / "spent.json"
  here = manifest.config_hash(_CONFIG)
  assert json.loads(spent.read_text()) == {"seconds": 1, "config_hash": here}


def test_what_is_there_stays(tmp_path):
  source = _packed(tmp_path)
  (tmp_path / "other").mkdir()
  spent = tmp_path / "other" / "spent.json"
  spent.write_text("{}")
  assert _fill(tmp_path, source, first=(1,)).done() == {0, 1, 2}
  assert spent.read_text() == "{}"
  assert source.fill("unknown", _fill(tmp_path, source)) == 0


def test_columns_may_be_empty_and_batches_left_out(tmp_path):
  source = _packed(
    tmp_path,
    stages={"drawn": ("values",)},
    without={"drawn": pc.field("n") < 3},
  )
  rows = _fill(tmp_path, source).read().to_pylist()
  assert [row["n"] for row in rows] == [3, 4, 5, 6, 7, 8]
  assert all(row["values"] == [] for row in rows)


def test_a_broken_file_is_named(tmp_path):
  source = _packed(tmp_path)
  path = tmp_path / "packed" / "drawn.parquet"
  path.write_bytes(path.read_bytes()[:100])
  broken = r"drawn\.parquet: .*install anew"
  with pytest.raises(errors.InputError, match=broken):
    _fill(tmp_path, source)
  path.unlink()
  with pytest.raises(errors.InputError, match=r"drawn\.parquet"):
    _fill(tmp_path, source)
  with pytest.raises(errors.InputError, match="no such file"):
    packed.load(tmp_path)


def test_a_flipped_byte_is_found(tmp_path):
  source = _packed(tmp_path)
  path = tmp_path / "packed" / "drawn.parquet"
  data = bytearray(path.read_bytes())
  data[len(data) // 2] ^= 1
  path.write_bytes(data)
  with pytest.raises(errors.InputError, match=r"not the file that was packed"):
    _fill(tmp_path, source)


def test_a_stage_of_other_columns_is_refused(tmp_path):
  source = _packed(tmp_path)
  with run.Run.open(tmp_path / "other", _CONFIG) as folder:
    folder.source = source
    with pytest.raises(errors.InputError, match="its columns are n, values, b"):
      folder.stage("drawn", pa.schema([_SCHEMA.field("n")]), "inputs")


@pytest.mark.parametrize(
  ("change", "message"),
  [
    ({"stages": None}, "field 'stages' is missing"),
    ({"extra": 1}, "field 'extra' is unknown"),
    ({"schema_version": 9}, "schema version 9"),
  ],
)
def test_a_wrong_manifest_is_refused(tmp_path, change, message):
  path = _packed(tmp_path).folder / "packed.json"
  record = json.loads(path.read_text()) | change
  kept = {name: value for name, value in record.items() if value is not None}
  path.write_text(json.dumps(kept))
  with pytest.raises(errors.InputError, match=message):
    packed.load(path.parent)


def test_what_is_no_run_is_not_packed(tmp_path):
  with pytest.raises(errors.InputError, match="has no stage to pack"):
    _packed(tmp_path, stages={})
