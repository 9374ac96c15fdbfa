"""A run's folder, damaged in each way that there is: each is told."""

import json
import os
import re
import shutil

import kill_harness
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy

from tts_jax import errors
from tts_jax.store import (
  audit,
  packed,
  pool,
  run,
  scores,
  searches,
  shards,
  trajectories,
)

_CONFIG = {"samples": 3, "engine": {"batch": 2}, "seed": 0}
_QUESTIONS = 5  # Three batches, the last of one.


def _ids(batch):
  return [f"q{i}" for i in range(_QUESTIONS)][2 * batch :][:2]


def _samples(ids, samples=3):
  pairs = [(one, sample) for one in ids for sample in range(samples)]
  size = len(pairs)
  return pool.table(
    question_id=[one for one, _ in pairs],
    uid=[int(one[1:]) for one, _ in pairs],
    sample=[sample for _, sample in pairs],
    text=["1"] * size,
    tokens=[[1, 2]] * size,
    logprobs=[[-0.5, -0.25]] * size,
    step_min_logprob=[[-0.5]] * size,
    answer=["1"] * size,
    verdict=["correct"] * size,
    finished=[True] * size,
  )


def _scores(ids):
  rows = [
    dict(question_id=one, sample=i, step_scores=[0.5], step_logprobs=[-0.5])
    for one in ids
    for i in range(3)
  ]
  return pa.Table.from_pylist(rows, scores.SCHEMA)


def _search(ids, budget):
  row = dict(method="beam_4", budget=budget, seed=0)
  names = ("text", "answer", "correct", "valid", "score", "step_scores")
  lists = {name: [] for name in (*names, "length")}
  spent = dict.fromkeys(
    [name for name in searches.SCHEMA.names if name not in {*row, *lists}], 1
  )
  rows = [{**spent, **row, **lists, "question_id": one} for one in ids]
  return pa.Table.from_pylist(rows, searches.SCHEMA)


def _write(folder, config=_CONFIG, *, inputs="inputs"):
  with run.Run.open(folder, config) as opened:
    pool.expect(opened, _QUESTIONS)
    stage = opened.stage(pool.STAGE, pool.SCHEMA, inputs)
    scored = opened.stage(scores.STAGE, scores.SCHEMA, inputs)
    searched = opened.stage(searches.STAGE, searches.SCHEMA, inputs)
    for batch in range(3):
      stage.write(batch, _samples(_ids(batch)))
      scored.write(batch, _scores(_ids(batch)))
      for cell, budget in enumerate((4, 16)):
        searched.write(3 * cell + batch, _search(_ids(batch), budget))
    opened.write_json("summary.json", {"pass_at_1": 1.0})
  weights = {"a": np.arange(6, dtype=np.float32)}
  safetensors.numpy.save_file(weights, folder / "head.safetensors")
  return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
  return _write(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture
def folder(whole, tmp_path):
  return shutil.copytree(whole, tmp_path / "run")


def _faults(folder):
  asked = audit.wanted(folder, searched=2)
  parts = [
    *audit.stages(folder, asked),
    *audit.packs(folder),
    *audit.files(folder, without=()),
  ]
  return [fault for part in parts for fault in part.faults]


def _shard(folder, batch, stage=pool.STAGE):
  (path,) = (folder / stage).glob(f"{batch:05d}-*.parquet")
  return path


def _forge(folder, place, table, *, stage=pool.STAGE, **changes):
  """Writes a shard that is whole in itself, in place of the batch's."""
  old = _shard(folder, place, stage)
  origin = {**vars(shards.inspect(folder / stage)[place].origin), **changes}
  schema = table.schema
  stage_ = shards.Stage(
    folder / "forged",
    schema,
    config_hash=origin["config_hash"],
    inputs_hash=origin["inputs_hash"],
  )
  stage_.write(origin["batch"], table)
  (made,) = (folder / "forged").glob("*.parquet")
  old.unlink()
  os.replace(made, folder / stage / made.name)
  (folder / "forged").rmdir()
  return folder / stage / made.name


def test_what_is_whole_has_no_fault(whole):
  assert _faults(whole) == []
  asked = audit.wanted(whole, searched=2)
  assert [str(part) for part in audit.stages(whole, asked)] == [
    "pool: 3 shards, 15 rows: whole",
    "scores: 3 shards, 15 rows: whole",
    "search: 6 shards, 10 rows: whole",
  ]
  assert [str(part) for part in audit.files(whole, without=())] == [
    "JSON: 3 files: whole",
    "weights: 1 files: whole",
  ]


def test_a_flipped_byte(folder):
  path = _shard(folder, 1)
  data = bytearray(path.read_bytes())
  data[len(data) // 2] ^= 4
  path.write_bytes(data)
  one, two = _faults(folder)
  assert one.startswith(f"{path}: cut short or changed")
  assert two.startswith(f"{folder / pool.STAGE}: of 3 batches there is no 1;")


@pytest.mark.parametrize("kept", [0, 9, -1])
def test_a_file_cut_short(folder, kept):
  path = _shard(folder, 0, scores.STAGE)
  path.write_bytes(path.read_bytes()[:kept])
  faults = _faults(folder)
  assert faults[0].startswith(f"{path}: cut short or changed")
  assert len(faults) == 2


def test_a_file_of_another_run(folder, tmp_path):
  other = _write(tmp_path / "other", {**_CONFIG, "seed": 1})
  path = _shard(folder, 2)
  path.unlink()
  path = folder / pool.STAGE / _shard(other, 2).name
  shutil.copy(_shard(other, 2), path)
  (found,) = _faults(folder)
  assert found.startswith(f"{path}: of another run: made from config ")


def test_a_file_of_other_inputs(folder, tmp_path):
  other = _write(tmp_path / "other", inputs="others")
  _shard(folder, 2).unlink()
  path = shutil.copy(_shard(other, 2), folder / pool.STAGE)
  (found,) = _faults(folder)
  assert found.startswith(f"{path}: made from other inputs (others) than")


def test_a_batch_that_is_there_twice(folder):
  first = _shard(folder, 1)
  kept = first.read_bytes()
  second = _forge(folder, 1, _samples(["q2", "q3"]).slice(0, 6)[:5])
  first.write_bytes(kept)
  (found,) = _faults(folder)
  later, earlier = sorted((first, second), reverse=True)
  assert found == (f"{later}: batch 1 is there twice, also as {earlier.name}")


@pytest.mark.parametrize(
  ("stage", "batches", "said"),
  [
    (pool.STAGE, (1,), "of 3 batches there is no 1;"),
    (pool.STAGE, (2,), "of 3 batches there is no 2;"),
    (scores.STAGE, (0, 2), "of 3 batches there is no 0, 2;"),
    (searches.STAGE, (5,), "of 6 batches there is no 5;"),
  ],
)
def test_a_missing_batch(folder, stage, batches, said):
  for batch in batches:
    _shard(folder, batch, stage).unlink()
  (found,) = _faults(folder)
  assert found.startswith(f"{folder / stage}: {said}")


def test_a_batch_too_many(folder):
  path = folder / pool.STAGE
  made = _forge(folder, 2, _samples(["q4"]), batch=3)
  one, two = _faults(folder)
  assert one.startswith(f"{path}: of 3 batches there is no 2")
  assert two == f"{made}: batch 3 of a stage of 3 batches"


def test_a_renamed_shard(folder):
  path = _shard(folder, 1)
  renamed = path.rename(path.with_name(path.name.replace("00001", "00007")))
  assert _faults(folder) == [f"{renamed}: renamed: it holds batch 1"]


def test_rows_that_are_lost_or_there_twice(folder):
  stage = folder / pool.STAGE
  rows = _samples(["q2", "q3"])
  _forge(folder, 1, rows.slice(0, 5))
  assert _faults(folder) == [f"{stage}: question_id q3 has 2 of 3"]
  _forge(folder, 1, pa.concat_tables([rows, rows.slice(4, 1)]))
  one, two = _faults(folder)
  assert one == f"{stage}: question_id q3, sample 1 is there 2 times"
  assert two == f"{stage}: question_id q3 has 4 of 3"
  _forge(folder, 1, _samples(["q2"]))
  assert _faults(folder) == [f"{stage}: has 4 of 5 by question_id"]
  _forge(folder, 1, rows)
  assert _faults(folder) == []
  _forge(folder, 1, _search(["q2"], 4), stage=searches.STAGE)
  assert _faults(folder) == [
    f"{folder / searches.STAGE}: method beam_4, budget 4, seed 0 has 4 of 5"
  ]


def test_other_columns(folder):
  path = _forge(folder, 0, _samples(["q0", "q1"]).drop_columns("text"))
  (found,) = _faults(folder)
  assert found == f"{path}: has other columns than a shard of its stage"


def test_not_a_shard_of_this_program(folder):
  table = _samples(["q0", "q1"])
  sink = pa.BufferOutputStream()
  pq.write_table(table, sink)
  data = sink.getvalue().to_pybytes()
  _shard(folder, 0).unlink()
  name = f"00000-{audit.atomic.bytes_hash(data)}.parquet"
  (folder / pool.STAGE / name).write_bytes(data)
  assert _faults(folder)[0].endswith("not a shard of this program; remove it")


@pytest.mark.parametrize(
  ("name", "data", "said"),
  [
    ("summary.json", b'{"pass', "not JSON"),
    ("metrics.jsonl", b'{"step": 1}\n{"st', "not JSON"),
    ("model/config.json", b"\xff", "not JSON"),
    ("head.safetensors", b"\x08", "not a whole safetensors file"),
  ],
)
def test_another_file_that_cannot_be_read(folder, name, data, said):
  path = folder / name
  path.parent.mkdir(exist_ok=True)
  path.write_bytes(data)
  (found,) = _faults(folder)
  assert found.startswith(f"{path}: {said}")


def test_a_config_that_cannot_be_read(folder):
  (folder / run.CONFIG_FILE).write_text("{")
  with pytest.raises(errors.InputError, match="not JSON"):
    audit.wanted(folder, searched=None)
  (folder / run.CONFIG_FILE).unlink()
  with pytest.raises(errors.InputError, match="no such file"):
    audit.wanted(folder, searched=None)


def test_a_number_of_questions_that_cannot_be_read(folder):
  (folder / "pool.json").write_text("{}")
  with pytest.raises(errors.InputError, match=r"pool\.json: questions is None"):
    audit.wanted(folder, searched=None)


def test_trajectories_are_as_many_as_their_summary_says(tmp_path):
  row = {
    name: [] for name in trajectories.SCHEMA.names if name != "question_id"
  }
  row |= {"question_id": "q0", "target_sample": 0}
  with run.Run.open(tmp_path / "run", {}) as opened:
    stage = opened.stage(trajectories.STAGE, trajectories.SCHEMA, "inputs")
    stage.write(0, pa.Table.from_pylist([row], trajectories.SCHEMA))
    opened.write_json(trajectories.SUMMARY, {"trajectories": 1})
    assert _faults(opened.path) == []
    opened.write_json(trajectories.SUMMARY, {"trajectories": 2})
    (found,) = _faults(opened.path)
  assert found == f"{stage.folder}: has 1 rows, its summary says 2"


def test_what_was_packed(whole, tmp_path):
  folder = tmp_path / "packed"
  packed.pack(whole, folder, {pool.STAGE: ()}, made_for={}, commit="c")
  assert [str(part) for part in audit.packs(folder)] == [
    "packed: 1 stages: whole"
  ]
  path = folder / "pool.parquet"
  data = bytearray(path.read_bytes())
  data[99] ^= 1
  path.write_bytes(data)
  assert _faults_of_pack(folder) == [
    f"{path}: cut short or changed: its bytes do not match"
  ]
  path.unlink()
  assert _faults_of_pack(folder) == [f"{path}: missing"]


def _faults_of_pack(folder):
  return [fault for part in audit.packs(folder) for fault in part.faults]


def test_the_launcher(folder, tmp_path):
  def verify(path):
    command = ("-m", "launch.verify_run", f"--run={path}")
    return kill_harness.run(
      kill_harness.python(*command), {"JAX_PLATFORMS": "cpu"}
    )

  before = kill_harness.contents(folder)
  done = verify(folder)
  assert done.returncode == 0, done.stderr
  assert done.stdout.splitlines()[0] == "pool: 3 shards, 15 rows: whole"
  assert done.stdout.splitlines()[-1] == f"{folder}: no faults"
  assert kill_harness.contents(folder) == before
  _shard(folder, 1).unlink()
  state = folder / "checkpoints" / "7"
  state.mkdir(parents=True)
  (state / "hashes.json").write_text(json.dumps({"array": "0" * 16}))
  done = verify(folder)
  assert done.returncode == 1, done.stderr
  assert "pool: 2 shards, 9 rows: 1 fault\n  " in done.stdout
  assert "checkpoints: 1 states: 1 fault\n  " in done.stdout
  assert re.search(r"checkpoints/7/array: missing or changed", done.stdout)
  assert done.stdout.splitlines()[-1] == f"{folder}: 2 faults"
  (folder / run.CONFIG_FILE).unlink()
  done = verify(folder)
  assert done.returncode == 1, done.stderr
  assert f"{run.CONFIG_FILE}: no such file" in done.stdout
  with run.Run.open(tmp_path / "held", {}):
    done = verify(tmp_path / "held")
  assert done.returncode == 2, done.stdout
  assert "another process is writing this run" in done.stderr
