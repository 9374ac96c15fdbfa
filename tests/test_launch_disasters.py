"""What befalls a launcher: places that cannot be written, clocks, locks."""

import ast
import errno
import json
import os
import pathlib

import kill_harness
import pytest
import search_command

from tts_jax import errors
from tts_jax.store import atomic, run

_LAUNCH = kill_harness.ROOT / "launch"
# They write whole files, each of which stands for itself: the last one wins.
_WRITE_WITHOUT_LOCK = {
  *("bench", "bench_peers", "compare_revisions", "compare_verifiers"),
  *("compile_for_tpu", "export_samples", "figures", "make_questions"),
  "pack_run",  # Its last file holds the hashes of the others.
}
_WRITE_NOTHING = {"memory", "verify_run"}


def _reached(module):
  """The modules of `launch` that one imports, and these, and itself."""
  found, left = set(), [module]
  while left:
    name = left.pop()
    path = _LAUNCH / f"{name}.py"
    if name in found or not path.is_file():
      continue
    found.add(name)
    for node in ast.walk(ast.parse(path.read_text())):
      if isinstance(node, ast.ImportFrom) and node.module == "launch":
        left += [alias.name for alias in node.names]
  return found


def test_every_launcher_that_fills_a_folder_locks_it():
  launchers = {
    path.stem
    for path in _LAUNCH.glob("*.py")
    if "entry.run(main)" in path.read_text()
  }
  locking = {
    name
    for name in launchers
    if any(
      "run.Run.open(" in (_LAUNCH / f"{one}.py").read_text()
      for one in _reached(name)
    )
  }
  assert launchers - locking == _WRITE_WITHOUT_LOCK | _WRITE_NOTHING


def test_nothing_is_written_in_part():
  """What is open for writing under its own name is cut short by a kill."""
  parts = ("write_text(", 'open("w"', "open('w'", "save_file(")
  found = {
    str(path.relative_to(kill_harness.ROOT))
    for folder in ("launch", "tts_jax")
    for path in (kill_harness.ROOT / folder).rglob("*.py")
    if any(part in path.read_text() for part in parts)
  }
  # A model's folder is written again by the command that did not end, and a
  # tokenizer's file under another name first.
  assert found == {
    "tts_jax/model/huggingface.py",
    "tts_jax/model/huggingface_config.py",
    "tts_jax/tasks/jsonl.py",  # An example in a docstring.
    "tts_jax/tasks/tokenization.py",
    "tts_jax/train/loop.py",  # In object storage, one write of it all.
  }


_SYS = pathlib.Path("/sys/kernel")  # Which root cannot write, either.


@pytest.mark.skipif(not _SYS.is_dir(), reason="no sysfs")
def test_a_place_that_cannot_be_written(model, cache):
  for folder, said in (
    (_SYS / "run", "/sys/kernel/run: cannot make this folder ("),
    (_SYS, "/sys/kernel: this folder is not writable ("),
  ):
    with pytest.raises(errors.InputError) as caught:
      run.Run.open(folder, {})
    assert str(caught.value).startswith(said)
    command = kill_harness.python("-m", "launch.sample", f"--out={folder}")
    flags = (*search_command.SMALL[:8], f"--config.model={model}")
    done = kill_harness.run([*command, *flags], cache)
    assert done.returncode == 2
    assert done.stderr.startswith(f"sample: {said}")
    assert done.stderr.count("\n") == 1
  with pytest.raises(errors.InputError, match="this file cannot be written"):
    atomic.write_bytes(_SYS / "summary.json", b"")


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_folder_that_is_taken_away_loses_nothing(tmp_path, monkeypatch, code):
  """A file system that is mounted anew, read-only, in the middle of a run."""
  with run.Run.open(tmp_path / "run", {}) as opened:
    opened.write_json("summary.json", {"a": 1})
    before = kill_harness.contents(opened.path)
    replace = os.replace

    def refused(source, target):
      raise OSError(code, os.strerror(code), str(source))

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(
      errors.InputError, match=r"summary\.json: this file can"
    ):
      opened.write_json("summary.json", {"a": 2})
    assert kill_harness.contents(opened.path) == before
    monkeypatch.setattr(os, "replace", replace)
    opened.write_json("summary.json", {"a": 2})
  assert json.loads(before["summary.json"]) == {"a": 1}


def test_another_file_that_cannot_be_read_is_not_called_this_one(tmp_path):
  with (
    pytest.raises(PermissionError),
    atomic.writing(tmp_path / "out.jsonl"),
  ):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "in.jsonl")
  assert not list(tmp_path.iterdir())


# Years ahead, and at other times before the epoch; 'random' is apart from ours.
_JUMPS = """
import random, runpy, sys, time
source, real = random.Random(0), time.time
def jumping():
  return real() + source.choice([-3e9, -9e4, 0, 9e4, 3e9])
time.time = jumping
time.time_ns = lambda: int(1e9 * jumping())
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
_TRAIN = (
  "--config=configs/train_arithmetic.py",
  "--config.model.width=16",
  "--config.model.layers=1",
  "--config.model.mlp_width=16",
  "--config.data.rows=4",
  "--config.optimizer.warmup=2",
  "--config.schedule.steps=6",
  "--config.schedule.validate_every=2",
  "--config.validation.batches=1",
  "--config.tokenizer.count=50",
)


def test_a_clock_that_jumps_changes_nothing(tmp_path, model, cache):
  samples = (*search_command.SMALL[:8], f"--config.model={model}")
  found = {}
  for name, start in (("steady", ("-m",)), ("jumping", ("-c", _JUMPS))):
    for launcher, flags in (("sample", samples), ("train_lm", _TRAIN)):
      out = tmp_path / name / launcher
      command = (*start, f"launch.{launcher}", f"--out={out}", *flags)
      done = kill_harness.run(kill_harness.python(*command), cache)
      assert done.returncode == 0, done.stderr
    found[name] = {
      path: data
      for path, data in kill_harness.contents(tmp_path / name).items()
      # How long it took, and when orbax saved.
      if not {"usage.json", "checkpoints", "best"} & {*path.split("/")}
    }
  # It goes on from the latest state, not from the one of the latest time.
  done = kill_harness.run(kill_harness.python(*command), cache)
  assert "resumed at step 6 of 6" in done.stdout, done.stderr
  assert found["steady"] == found["jumping"]
  assert len(found["steady"]) > 8


# The command on a disk that is too small, and again once there is room.
_FULL = """
mount -t tmpfs -o size=400k tmpfs "$1" || exit 77
disk=$1
shift
"$@" && exit 78
echo "status $?"
mount -o remount,size=40m "$disk"
"$@"
"""


def test_a_full_disk_ends_a_training_which_goes_on(tmp_path, cache):
  disk = tmp_path / "disk"
  disk.mkdir()
  command = kill_harness.python(
    "-m", "launch.train_lm", f"--out={disk / 'run'}"
  )
  mount = ("unshare", "-m", "bash", "-c", _FULL, "bash", str(disk))
  if not os.path.exists("/usr/bin/unshare") or os.geteuid():
    pytest.skip("no right to mount a small disk")
  done = kill_harness.run([*mount, *command, *_TRAIN], cache)
  if done.returncode == 77:
    pytest.skip("no right to mount a small disk")
  assert done.returncode == 0, done.stderr
  assert "status 2\n" in done.stdout
  # What threads of orbax print beside it, maybe on the same line, is not ours
  # to keep back.
  assert done.stderr.count("train_lm: ") == 1, done.stderr
  assert "train_lm: no space left on the disk" in done.stderr
  assert "step 6/6  validation loss" in done.stdout
