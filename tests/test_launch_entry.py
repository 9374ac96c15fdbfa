"""A launcher says each fault of its user in one line, from any folder."""

import importlib
import os
import signal
import subprocess
import sys

import kill_harness
import pytest

from configs import train_gsm_symbolic
from launch import config_file, stopping
from tts_jax import errors

_LAUNCHER = '''
"""A launcher to throw away."""

import errno
import os
import signal
import time

from absl import flags

from launch import entry
from tts_jax import errors

_CONFIG = entry.config_flag({default!r})
_OUT = flags.DEFINE_string("out", "runs/x", "Folder.")


def main(_):
  config = _CONFIG.value
  if _OUT.value == "interrupt":
    raise KeyboardInterrupt
  if _OUT.value == "terminate":
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
  if _OUT.value == "fault":
    raise errors.InputError("questions.jsonl, line 3:\\n no field 'answer'")
  if _OUT.value == "bug":
    raise ValueError("a bug")
  if _OUT.value == "full":
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "pool/0.parquet")
  if _OUT.value == "quota":
    raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
  if _OUT.value == "words":
    raise ValueError("RESOURCE_EXHAUSTED:\\n No space left on device [28]")
  if _OUT.value == "denied":
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
  print(config.samples, config.sampler.temperature, config.greedy, _OUT.value)


if __name__ == "__main__":
  entry.run(main)
'''
_CONFIG = """
import ml_collections


def get_config():
  return ml_collections.ConfigDict(
    {
      "samples": 4,
      "greedy": False,
      "sampler": {"temperature": 0.8, "top_p": 1.0},
      "optimizer": {"warmup": 3},
    }
  )
"""


@pytest.fixture
def launch(tmp_path):
  """Runs the launcher in a strange folder."""
  (tmp_path / "small.py").write_text(_CONFIG)
  # A default is found from the project's root; an absolute path stays itself.
  default = str(tmp_path / "small.py")
  (tmp_path / "toy.py").write_text(_LAUNCHER.format(default=default))
  (tmp_path / "broken.py").write_text("def get_config(:")
  (tmp_path / "empty.py").write_text("x = 1")
  (tmp_path / "other.py").write_text(_CONFIG.replace("4", "5"))

  def run(*arguments):
    return subprocess.run(
      [sys.executable, str(tmp_path / "toy.py"), *arguments],
      capture_output=True,
      text=True,
      cwd=tmp_path,
      env={
        **os.environ,
        "PYTHONPATH": str(kill_harness.ROOT),
        "JAX_PLATFORMS": "cpu",
      },
      check=False,
    )

  return run


@pytest.mark.parametrize(
  ("arguments", "printed"),
  [
    ((), "4 0.8 False runs/x"),
    (("--out=y", "--config.samples=9"), "9 0.8 False y"),
    (("--config.samples", "9", "--config.greedy"), "9 0.8 True runs/x"),
    (("--config=other.py",), "5 0.8 False runs/x"),
    (
      ("--config", "other.py", "--config.sampler.temperature=1"),
      "5 1.0 False runs/x",
    ),
  ],
)
def test_good_flags(launch, arguments, printed):
  done = launch(*arguments)
  assert (done.returncode, done.stdout.strip()) == (0, printed), done.stderr


@pytest.mark.parametrize(
  ("argument", "named"),
  [
    ("--config.bad=1", "did you mean greedy, optimizer, sampler, samples?"),
    ("--config.sampel=1", "--config.sampel: no such key"),
    ("--config.sampel=1", "did you mean samples, sampler?"),
    ("--config.sampler.topp=1", "did you mean sampler.top_p"),
    ("--config.temperature=1", "did you mean sampler.temperature?"),
    ("--config.samples.x=1", "--config.samples.x: no such key"),
    ("--noconfig.gredy", "did you mean greedy?"),
    ("--config.samples=many", "--config.samples=many: samples takes an"),
    ("--config.sampler=3", "--config.sampler=3"),
    ("--config.samples", "Missing value"),
    ("--ot=3", "Unknown command line flag 'ot'"),
    ("extra", "unexpected argument 'extra'"),
    ("--config=absent.py", "--config=absent.py: no file with get_config()"),
    ("--config=toy", "--config=toy: no file with get_config()"),
    ("--config=empty.py", "--config=empty.py: no file with get_config()"),
    ("--config=", "--config=: no file with get_config()"),
    ("--config", "--config=: no file with get_config()"),
    ("--config=broken.py", "broken.py, line 1: "),
    ("--out=fault", "toy: questions.jsonl, line 3: no field 'answer'"),
  ],
)
def test_bad_input_is_one_line(launch, argument, named):
  done = launch(argument)
  assert done.returncode == 2
  assert done.stdout == ""
  assert done.stderr.startswith("toy: ")
  assert done.stderr.count("\n") == 1
  assert named in done.stderr


@pytest.mark.parametrize(
  ("old", "new", "said"),
  [
    ('"samples"', '"smaples"', "no such key smaples, did you mean samples?"),
    (
      '"top_p"',
      '"topp"',
      "no such key sampler.topp, did you mean sampler.top_p?",
    ),
    ('"samples": 4,', "", "key samples is missing"),
    (', "top_p": 1.0', "", "key sampler.top_p is missing"),
    ('"optimizer": {"warmup": 3},', "", "key optimizer is missing"),
    ('{"warmup": 3}', "3", "key optimizer.warmup is missing"),
    ("3", '{"steps": 3}', "no such key optimizer.warmup.steps"),
    (
      '"greedy": False',
      '"zzz": {"a": 1}',
      "no such key zzz; key greedy is missing",
    ),
  ],
)
def test_a_file_with_other_keys_is_refused(launch, tmp_path, old, new, said):
  assert _CONFIG.count(old) == 1
  (tmp_path / "mine.py").write_text(_CONFIG.replace(old, new))
  for arguments in (("--config=mine.py",), ("--config", "mine.py")):
    done = launch(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"toy: mine.py: {said}"), done.stderr
    assert done.stderr.count("\n") == 1
    # A key that a misspelt one stands for is not missing as well, and inner
    # keys are not named beside their node.
    assert done.stderr.count("is missing") == said.count("is missing")


def test_all_wrong_keys_are_said_at_once(launch, tmp_path):
  config = _CONFIG.replace("samples", "smaples").replace("warmup", "wramup")
  (tmp_path / "mine.py").write_text(config.replace('"greedy": False,', ""))
  said = launch("--config=mine.py").stderr
  assert said == (
    "toy: mine.py: no such key optimizer.wramup, did you mean "
    "optimizer.warmup?; no such key smaples, did you mean samples?; "
    "key greedy is missing\n"
  )


def test_a_file_that_gives_no_config_is_refused(launch, tmp_path):
  (tmp_path / "mine.py").write_text("def get_config():\n  return {'a': 1}")
  done = launch("--config=mine.py")
  assert done.returncode == 2
  assert "mine.py: get_config() must give a ConfigDict" in done.stderr


@pytest.mark.parametrize("name", ["train_arithmetic", "train_gsm_symbolic"])
def test_the_training_configs_have_the_same_keys(name):
  config = importlib.import_module(f"configs.{name}").get_config()
  default = train_gsm_symbolic.get_config()
  config_file.check_keys(name, config, default)


@pytest.mark.parametrize(
  ("out", "where"),
  [
    ("full", "pool/0.parquet"),
    ("quota", "the folder of the run"),
    ("words", "the folder of the run"),
  ],
)
def test_a_full_disk_is_one_line(launch, out, where):
  done = launch(f"--out={out}")
  assert (done.returncode, done.stdout) == (2, "")
  assert done.stderr.startswith("toy: no space left on the disk")
  assert where in done.stderr
  assert done.stderr.count("\n") == 1


def test_another_fault_of_the_system_keeps_its_traceback(launch):
  done = launch("--out=denied")
  assert done.returncode == 1
  assert "Traceback" in done.stderr
  assert "PermissionError" in done.stderr


def test_interrupt(launch):
  done = launch("--out=interrupt")
  assert done.returncode == 130
  assert done.stderr == "interrupted; what was written stays\n"


def test_terminate(launch):
  done = launch("--out=terminate")
  assert done.returncode == 143
  assert done.stderr == (
    "terminated; what was written stays; the same command goes on\n"
  )


@pytest.fixture
def listening():
  """SIGTERM raises here, as it does in a launcher."""
  before = signal.getsignal(signal.SIGTERM)
  stopping.listen()
  yield
  signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("listening")
def test_deferred_it_waits_for_the_end():
  told = []

  def work():
    with stopping.deferred() as came:
      told.append(came())
      os.kill(os.getpid(), signal.SIGTERM)
      told.append(came())

  with pytest.raises(stopping.Terminated):
    work()
  assert told == [False, True]
  with pytest.raises(stopping.Terminated):
    os.kill(os.getpid(), signal.SIGTERM)
  with pytest.raises(errors.InputError), stopping.deferred():
    raise errors.InputError("a fault of its own")


@pytest.mark.usefixtures("listening")
def test_a_child_ends_in_order_too(tmp_path):
  saved, child = tmp_path / "saved", tmp_path / "child.py"
  child.write_text(
    "import os, pathlib, signal, time\n"
    "def leave(*_):\n"
    "  time.sleep(0.3)\n"
    f"  pathlib.Path({str(saved)!r}).write_text('')\n"
    "  os._exit(143)\n"
    "signal.signal(signal.SIGTERM, leave)\n"
    "os.kill(os.getppid(), signal.SIGTERM)\n"
    "time.sleep(60)\n"
  )
  with pytest.raises(stopping.Terminated):
    stopping.follow(kill_harness.python(child))
  assert saved.exists()
  assert stopping.follow(kill_harness.python("-c", "raise SystemExit(3)")) == 3


def test_a_bug_keeps_its_traceback(launch):
  done = launch("--out=bug")
  assert done.returncode == 1
  assert "Traceback" in done.stderr
  assert "ValueError: a bug" in done.stderr


def test_help_names_the_launchers_flags(launch):
  text = launch("--help").stdout
  assert "--config" in text
  assert "--out" in text


def test_defaults_are_found_from_the_projects_root(launch, tmp_path):
  toy = _LAUNCHER.format(default="configs/absent.py")
  (tmp_path / "toy.py").write_text(toy)
  done = launch()
  assert done.returncode == 2
  assert (
    f"{kill_harness.ROOT / 'configs' / 'absent.py'}: no file" in done.stderr
  )
