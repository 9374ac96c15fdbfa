"""A run folder belongs to one process and one config."""

import os
import signal
import subprocess
import sys

import kill_harness
import pytest
import store_writer

from tts_jax import errors
from tts_jax.store import manifest, run

_HOLD = """
import os, sys, time
from tts_jax.store import run
opened = run.Run.open(sys.argv[1], {"a": 1})
child = sys.argv[2] == "fork" and not os.fork()
if child or sys.argv[2] == "alone":
  print(os.getpid() if child else 0, flush=True)
time.sleep(60)
"""


def _hold(folder, how):
  """A process that holds `folder`; its forked child's id, or 0."""
  process = subprocess.Popen(
    [sys.executable, "-c", _HOLD, str(folder), how],
    stdout=subprocess.PIPE,
    env={**os.environ, "PYTHONPATH": str(kill_harness.ROOT)},
  )
  return process, int(process.stdout.readline())


def test_two_in_one_process(tmp_path):
  first = run.Run.open(tmp_path, {"a": 1})
  with pytest.raises(errors.InputError, match="another process is writing"):
    run.Run.open(tmp_path, {"a": 1})
  first.close()
  run.Run.open(tmp_path, {"a": 1}).close()


@pytest.mark.parametrize("how", ["alone", "fork"])
def test_kernel_frees_the_lock_of_the_dead(tmp_path, how):
  """Also while a child that the dead process forked lives on."""
  process, child = _hold(tmp_path, how)
  try:
    with pytest.raises(errors.InputError, match="another process is writing"):
      run.Run.open(tmp_path, {"a": 1})
    process.send_signal(signal.SIGKILL)
    process.wait()
    run.Run.open(tmp_path, {"a": 1}).close()
  finally:
    process.kill()
    process.wait()
    process.stdout.close()
    if child:
      os.kill(child, signal.SIGKILL)


def test_a_forked_child_does_not_free_the_lock(tmp_path):
  code = (
    "import os, sys; from tts_jax.store import run\n"
    "opened = run.Run.open(sys.argv[1], {})\n"
    "if not (child := os.fork()):\n"
    "  opened.close(); os._exit(0)\n"
    "assert os.waitpid(child, 0)[1] == 0\n"
    "try: run.Run.open(sys.argv[1], {})\n"
    "except ValueError as error: print(error)\n"
  )
  done = subprocess.run(
    [sys.executable, "-c", code, str(tmp_path)],
    capture_output=True,
    text=True,
    check=True,
    env={**os.environ, "PYTHONPATH": str(kill_harness.ROOT)},
  )
  assert "another process is writing" in done.stdout


def test_a_config_that_made_nothing_is_replaced(tmp_path):
  with run.Run.open(tmp_path, {"a": 1}) as opened:
    opened.stage("numbers", store_writer.SCHEMA, "inputs")
    opened.write_json("usage.json", {})
    (tmp_path / run.CHECKPOINTS / "5.orbax-checkpoint-tmp").mkdir(parents=True)
  with run.Run.open(tmp_path, {"a": 2}) as opened:
    assert opened.fresh
    assert opened.config_hash == manifest.config_hash({"a": 2})
  assert manifest.read_config(tmp_path / run.CONFIG_FILE) == {"a": 2}


@pytest.mark.parametrize("folder", [run.CHECKPOINTS, run.BEST])
def test_a_config_that_trained_is_kept(tmp_path, folder):
  run.Run.open(tmp_path, {"a": 1}).close()
  (tmp_path / folder / "5").mkdir(parents=True)
  with pytest.raises(errors.InputError, match="a was 1, is now 2"):
    run.Run.open(tmp_path, {"a": 2})
  with run.Run.open(tmp_path, {"a": 1}) as opened:
    assert not opened.fresh


def test_a_file_that_is_no_config_of_a_run_is_not_replaced(tmp_path):
  """Such as that of a model's folder, given by mistake."""
  (tmp_path / run.CONFIG_FILE).write_text('{"model_type": "llama"}')
  with pytest.raises(errors.InputError, match="not the config of a run"):
    run.Run.open(tmp_path, {"a": 2})
  assert "llama" in (tmp_path / run.CONFIG_FILE).read_text()


def test_a_refused_config_leaves_the_folder_free(tmp_path):
  with run.Run.open(tmp_path, {"a": 1}) as opened:
    stage = opened.stage("numbers", store_writer.SCHEMA, "inputs")
    stage.write(0, store_writer.batch_table(0))
  with pytest.raises(errors.InputError, match="a was 1, is now 2"):
    run.Run.open(tmp_path, {"a": 2})
  with run.Run.open(tmp_path, {"a": 1}) as opened:
    assert opened.config_hash


def test_leftovers_in_the_run_folder_go(tmp_path):
  (tmp_path / ".summary.json.12.tmp").write_text("{")
  (tmp_path / ".hidden").write_text("mine")
  with run.Run.open(tmp_path, {}) as opened:
    assert opened.removed == (".summary.json.12.tmp",)
  names = {path.name for path in tmp_path.iterdir()}
  assert names == {".hidden", ".lock", "config.json"}


def test_other_inputs_are_refused(tmp_path):
  store_writer.write(tmp_path, 1)
  opened = run.Run.open(tmp_path, store_writer.CONFIG)
  with pytest.raises(errors.InputError, match="other inputs"):
    opened.stage("numbers", store_writer.SCHEMA, "other")
  opened.close()


def test_no_stage_of_a_closed_run(tmp_path):
  opened = run.Run.open(tmp_path, {})
  opened.close()
  opened.close()
  with pytest.raises(ValueError, match="closed"):
    opened.stage("numbers", store_writer.SCHEMA, "inputs")


def test_a_file_in_the_way(tmp_path):
  (tmp_path / "taken").write_text("")
  for path in (tmp_path / "taken", tmp_path / "taken" / "below"):
    with pytest.raises(errors.InputError, match="cannot make this folder"):
      run.Run.open(path, {})


def test_json_is_whole_or_old(tmp_path, monkeypatch):
  with run.Run.open(tmp_path, {}) as opened:
    opened.write_json("summary.json", {"a": 1})

    def stopped(source, target):
      raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
      opened.write_json("summary.json", {"a": 2})
    with pytest.raises(ValueError, match="JSON compliant"):
      opened.write_json("summary.json", {"a": float("nan")})
  assert (tmp_path / "summary.json").read_text() == '{\n  "a": 1\n}\n'
  assert not list(tmp_path.glob(".*.tmp"))


def test_a_reader_finds_no_writer(tmp_path):
  folder = tmp_path / "run"
  with (
    pytest.raises(errors.InputError, match="run: no such folder"),
    run.reading(folder),
  ):
    pass
  with (
    run.Run.open(folder, {}),
    pytest.raises(errors.InputError, match="another process is writing"),
    run.reading(folder),
  ):
    pass
  with run.reading(folder) as found, run.reading(folder):
    assert found == folder
    with pytest.raises(errors.InputError, match="another process"):
      run.Run.open(folder, {})
  (folder / ".lock").unlink()
  with run.reading(folder):
    assert not (folder / ".lock").exists()
