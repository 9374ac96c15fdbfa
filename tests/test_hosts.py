"""Two processes of four devices make what one process makes."""

import json
import os
import time
import types

import host_processes
import jax
import kill_harness
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import search_command
from absl import flags
from absl.testing import flagsaver

from launch import processes, shared_run, workers
from tts_jax import errors, hosts, sharding
from tts_jax.store import pool, run

_SAMPLE = (*search_command.SMALL[:-2], "--config.engine.groups=8")
_STEPS = 100
_TRAIN = (
  "--config=configs/train_arithmetic.py",
  "--config.model.width=16",
  "--config.model.layers=1",
  "--config.model.mlp_width=16",
  "--config.data.rows=8",
  "--config.optimizer.warmup=2",
  f"--config.schedule.steps={_STEPS}",
  "--config.schedule.log_every=1",
  f"--config.schedule.validate_every={_STEPS}",
  "--config.validation.batches=1",
  "--config.tokenizer.count=50",
)
_ALL = "--config.mesh.data=8"
_start, _end = host_processes.start, host_processes.end


def _both(tmp_path, name):
  """Where process 0 writes, and where process 1 would if it wrote."""
  return tmp_path / name, tmp_path / "of_process_1"


def _shards(folder):
  """The bytes of all shards below a folder, whose names hash them."""
  found = kill_harness.contents(folder)
  return {path: data for path, data in found.items() if "parquet" in path}


def _table(stage):
  return pa.concat_tables(map(pq.read_table, sorted(stage.iterdir())))


def test_samples_are_those_of_one_process(tmp_path, cache, model):
  given = (*_SAMPLE, f"--config.model={model}")
  two, other = _both(tmp_path, "two")
  said = _end(_start(2, "sample", (two, other), (*given, _ALL), cache))
  assert "tokens in" in said[0][0]
  assert "tokens in" not in said[1][0]
  assert not other.exists()
  one = tmp_path / "one"
  _end(_start(1, "sample", (one,), (*given, _ALL), cache))
  assert _shards(two) == _shards(one)
  assert len(_shards(one)) == 3
  # What is missing is made by one process on one device.
  lost, *_ = sorted((two / pool.STAGE).iterdir())
  lost.unlink()
  command = kill_harness.python("-m", "launch.sample", f"--out={two}", *given)
  done = kill_harness.run(command, {**cache, "JAX_NUM_CPU_DEVICES": "1"})
  assert done.returncode == 0, done.stderr
  assert "6 questions x 8 samples, 4 done" in done.stdout
  # Of eight devices and of one, sums are rounded apart.
  left, right = (_table(folder / pool.STAGE) for folder in (two, one))
  for name in ("question_id", "sample", "tokens", "verdict"):
    assert left[name].equals(right[name])
  np.testing.assert_allclose(left["logprob"], right["logprob"], atol=1e-4)


def _losses(folder):
  path = folder / "metrics.jsonl"
  lines = path.read_text().splitlines(True) if path.exists() else []
  rows = [json.loads(line) for line in lines if line.endswith("\n")]
  return [row["loss"] for row in rows if "loss" in row]


def test_a_training_goes_on_in_another_number_of_processes(tmp_path, cache):
  whole, (out, other) = tmp_path / "whole", _both(tmp_path, "run")
  _end(_start(1, "train_lm", (whole,), _TRAIN, cache))
  reached = 0
  for count in (2, 1):
    started = _start(count, "train_lm", (out, other)[:count], _TRAIN, cache)
    while started[-1].poll() is None and len(_losses(out)) <= reached:
      time.sleep(0.01)
    started[-1].terminate()  # Which the other is told of.
    said = _end(started, 143)
    if reached:
      assert f"resumed at step {reached} of {_STEPS}" in said[0][0]
    assert reached < len(_losses(out)) < _STEPS
    reached = len(_losses(out))
  said = _end(_start(2, "train_lm", (out, other), _TRAIN, cache))
  assert f"resumed at step {reached} of {_STEPS}" in said[0][0]
  assert "step" not in said[1][0]
  # Sums over devices are taken in another order.
  np.testing.assert_allclose(_losses(out), _losses(whole), atol=1e-3)
  assert len(_losses(whole)) == _STEPS
  assert not other.exists()


def test_what_process_0_refuses_ends_all(tmp_path, cache, model):
  given = (*_SAMPLE, f"--config.model={model}", _ALL)
  two, other = _both(tmp_path, "two")
  with run.Run.open(two, {}):
    said = _end(_start(2, "sample", (two, other), given, cache), 2)
  for _, errors_ in said:
    assert f"sample: {two}: another process is writing this run" in errors_


def test_what_others_were_given_is_refused(monkeypatch):
  monkeypatch.setattr(hosts, "single", lambda: False)
  shared_run.same("x: its config", lambda: "a")
  # Process 0 found "b"; what is refused is told as it is.
  told = {b"a": b"b"}
  monkeypatch.setattr(hosts, "share", lambda data, _=0: told.get(data, data))
  with pytest.raises(errors.InputError, match="x: its config is another than"):
    shared_run.same("x: its config", lambda: "a")


def _join(able=True, **given):
  if not flags.FLAGS.is_parsed():
    flags.FLAGS.mark_as_parsed()
  with flagsaver.flagsaver(**given):
    processes.join(able)


def test_flags_go_together():
  with pytest.raises(errors.InputError, match="--process missing: --coord"):
    _join(coordinator="127.0.0.1:1", processes=2)
  whole = dict(coordinator="127.0.0.1:1", processes=2)
  with pytest.raises(errors.InputError, match="--process is 2 of 2; it must"):
    _join(**whole, process=2)
  with pytest.raises(errors.InputError, match="cannot run on several hosts"):
    _join(False, **whole, process=0)
  assert not jax.distributed.is_initialized()


def test_a_launcher_that_cannot_says_so_in_a_line(cache):
  (said,) = _end(
    [
      kill_harness.start(
        kill_harness.python(
          *("-m", "launch.train_difficulty", "--coordinator=127.0.0.1:1"),
          *("--processes=2", "--process=0"),
        ),
        cache,
      )
    ],
    2,
  )
  assert said[1].count("\n") == 1
  assert "this launcher cannot run on several hosts yet, and" in said[1]


def test_a_slice_has_as_many_workers_as_it_names(monkeypatch):
  config = types.SimpleNamespace(jax_platforms="tpu")
  monkeypatch.setattr(workers, "jax", types.SimpleNamespace(config=config))
  monkeypatch.setenv("TPU_WORKER_HOSTNAMES", "a,b,c,d")
  assert workers.count() == 4
  with pytest.raises(errors.InputError, match="yet, and here are 4"):
    _join(False)
  monkeypatch.delenv("TPU_WORKER_HOSTNAMES")
  monkeypatch.setitem(os.environ, "TPU_SKIP_MDS_QUERY", "1")
  assert workers.count() == 1


def test_devices_of_a_process_are_not_left_out(monkeypatch):
  monkeypatch.setattr(jax, "process_count", lambda: 2)
  monkeypatch.setattr(jax, "devices", lambda: [None] * 8)
  with pytest.raises(errors.InputError, match="must take all of them"):
    sharding.mesh(data=4)
  with pytest.raises(errors.InputError, match="2 processes need a multiple"):
    sharding.data_mesh(3)
