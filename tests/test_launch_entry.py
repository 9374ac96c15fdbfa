"""A launcher says each fault of its user in one line, from any folder."""

import os
import subprocess
import sys

import kill_harness
import pytest

_LAUNCHER = '''
"""A launcher to throw away."""

from absl import flags

from launch import entry
from tts_jax import errors

_CONFIG = entry.config_flag({default!r})
_OUT = flags.DEFINE_string("out", "runs/x", "Folder.")


def main(_):
  config = _CONFIG.value
  if _OUT.value == "interrupt":
    raise KeyboardInterrupt
  if _OUT.value == "fault":
    raise errors.InputError("questions.jsonl, line 3:\\n no field 'answer'")
  if _OUT.value == "bug":
    raise ValueError("a bug")
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
    ("--config.bad=1", "perhaps greedy, optimizer, sampler, samples"),
    ("--config.sampel=1", "--config.sampel: no such key"),
    ("--config.sampel=1", "perhaps samples, sampler"),
    ("--config.sampler.topp=1", "perhaps sampler.top_p"),
    ("--config.temperature=1", "perhaps sampler.temperature"),
    ("--config.samples.x=1", "--config.samples.x: no such key"),
    ("--noconfig.gredy", "perhaps greedy"),
    ("--config.samples=many", "--config.samples=many: invalid literal"),
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


def test_interrupt(launch):
  done = launch("--out=interrupt")
  assert done.returncode == 130
  assert done.stderr == "interrupted; what was written stays\n"


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
