"""Killed at any moment and started again, a run is what it would have been."""

import errno
import itertools
import os
import pathlib
import signal
import subprocess

import kill_harness
import pytest
import store_writer

from tts_jax import errors
from tts_jax.store import atomic, run

WRITER = pathlib.Path(store_writer.__file__)


class _Killed(BaseException):
  """Stands for the end of the process."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
  """A run of 3 batches that nobody interrupted."""
  folder = tmp_path_factory.mktemp("whole") / "run"
  store_writer.write(folder, 3)
  return kill_harness.contents(folder)


def test_at_every_flush_and_rename_in_process(tmp_path, whole, monkeypatch):
  """The n-th call raises, for every n until a run gets through."""
  calls = itertools.count()
  point = -1

  def fatal(do):
    def wrapped(*args, **kwargs):
      if next(calls) == point:
        raise _Killed
      return do(*args, **kwargs)

    return wrapped

  monkeypatch.setattr(os, "fsync", fatal(os.fsync))
  monkeypatch.setattr(os, "replace", fatal(os.replace))
  for point in itertools.count():
    folder = tmp_path / str(point)
    calls = itertools.count()
    try:
      store_writer.write(folder, 3)
    except _Killed:
      calls = itertools.count(point + 1)
      store_writer.write(folder, 3)
      assert kill_harness.contents(folder) == whole
    else:
      break
  # Folders apart, 5 files of three calls each.
  assert point >= 15


@pytest.mark.parametrize("point", range(4, 16))
def test_sigkill_at_a_known_call(tmp_path, whole, point):
  """What the killed process leaves is whole shards and one temporary file."""
  folder = tmp_path / "run"
  command = kill_harness.python(WRITER, folder, 3, point)
  environment = {**os.environ, "PYTHONPATH": str(kill_harness.ROOT)}
  child = subprocess.run(command, env=environment, check=False)
  assert child.returncode == -signal.SIGKILL
  left = kill_harness.contents(folder)
  temporary = [name for name in left if name.endswith(".tmp")]
  assert len(temporary) <= 1
  for name in left.keys() - set(temporary):
    assert left[name] == whole[name]
  store_writer.write(folder, 3)
  assert kill_harness.contents(folder) == whole


def test_sigkill_at_random_times(tmp_path):
  batches = 150
  store_writer.write(tmp_path / "whole", batches)
  expected = kill_harness.contents(tmp_path / "whole")
  kills = 0
  for attempt in range(4):
    folder = tmp_path / f"killed{attempt}"
    stage = folder / "numbers"

    def progress(stage=stage):
      return len(list(stage.glob("*.parquet")))

    kills += kill_harness.run_killed(
      kill_harness.python(WRITER, folder, batches, 0),
      kill_harness.random_delays(12, 0.03, seed=attempt),
      progress=progress,
    )
    assert kill_harness.contents(folder) == expected
    if kills >= 10:
      break
  assert kills >= 10


def test_full_disk_is_one_line_and_loses_nothing(tmp_path, whole, monkeypatch):
  folder = tmp_path / "run"
  flush = os.fsync
  with run.Run.open(folder, store_writer.CONFIG) as opened:
    stage = opened.stage("numbers", store_writer.SCHEMA, "inputs")
    stage.write(0, store_writer.batch_table(0))
    before = kill_harness.contents(folder)

    def full(descriptor):
      raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
      errors.InputError, match=r"disk is full.*again"
    ) as caught:
      stage.write(1, store_writer.batch_table(1))
    assert "\n" not in str(caught.value)
    assert "00001-" in str(caught.value)
    assert stage.done() == {0}
    monkeypatch.setattr(os, "fsync", flush)
    assert kill_harness.contents(folder) == before
  store_writer.write(folder, 3)
  assert kill_harness.contents(folder) == whole


def test_full_disk_for_a_new_run(tmp_path, monkeypatch):
  def full(descriptor):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setattr(os, "fsync", full)
  with pytest.raises(errors.InputError, match="No space left"):
    run.Run.open(tmp_path / "run", {})


def test_another_error_of_the_disk_is_not_dressed_up(tmp_path, monkeypatch):
  def broken(descriptor):
    raise OSError(errno.EIO, os.strerror(errno.EIO))

  with run.Run.open(tmp_path / "run", {}) as opened:
    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
      opened.write_json("summary.json", {})
    assert not list(opened.path.glob(".*.tmp"))


def test_what_dead_writers_left_goes_and_what_living_ones_write_stays(tmp_path):
  path = tmp_path / "samples[1].jsonl"
  dead = subprocess.Popen(kill_harness.python("-c", ""))
  dead.wait()
  left = tmp_path / f".{path.name}.{dead.pid}.tmp"
  others = [
    tmp_path / f".{path.name}.{os.getppid()}.tmp",
    tmp_path / f".other.jsonl.{dead.pid}.tmp",
    tmp_path / f".{path.name}.x.tmp",
  ]
  for one in (left, *others):
    one.write_text("")
  atomic.remove_dead(path)
  assert sorted(tmp_path.iterdir()) == sorted(others)
