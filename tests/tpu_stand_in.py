"""A folder with a stand-in for gcloud, and launchers run against it."""

import dataclasses
import json
import os
import pathlib
import shlex
import subprocess
import sys

import kill_harness

WHERE = ("--name=tts", "--zone=us-west4-a", "--project=my-project")

# What a worker has: `uv`, which makes environments, and a Python in them.
_PYTHON3 = """#!/bin/sh
echo "$@" >> "$HOME/installed"
[ "$3" != venv ] || { mkdir -p .venv/bin
  echo 'PATH=$PWD/.venv/bin:$PATH' > .venv/bin/activate
  cp "$(dirname "$0")/venv_python" .venv/bin/python; }
"""
_VENV_PYTHON = """#!/bin/sh
[ "$2" != 'import jax; print(jax.devices())' ] || exec echo "$JAX_PLATFORMS: 8"
exec {python} "$@"
"""


@dataclasses.dataclass(frozen=True)
class StandIn:
  """The folder, and what is in it."""

  folder: pathlib.Path

  @classmethod
  def make(cls, folder: pathlib.Path, *, workers: int) -> "StandIn":
    """Makes it, with no machine asked for."""
    for worker in range(workers):
      (folder / "vm" / str(worker)).mkdir(parents=True)
    for name in ("bin", "here"):
      (folder / name).mkdir()
    python = shlex.quote(sys.executable)
    gcloud = pathlib.Path(__file__).parent / "stand_in_gcloud.py"
    scripts = {
      "gcloud": f'#!/bin/sh\nexec {python} {gcloud} "$@"\n',
      "python3": _PYTHON3,
      "venv_python": _VENV_PYTHON.format(python=python),
    }
    for name, text in scripts.items():
      (folder / "bin" / name).write_text(text)
      (folder / "bin" / name).chmod(0o755)
    made = cls(folder)
    made.states("ACTIVE")
    return made

  def states(self, *names: str) -> None:
    """Of the request, at the next looks."""
    (self.folder / "states").write_text(" ".join(names))

  def refuse(self, verb: str, reason: str) -> None:
    """Makes the service refuse it."""
    (self.folder / f"refuse_{verb}").write_text(reason)

  def ask(self, type_: str = "v5litepod-16") -> None:
    """Has a machine asked for already."""
    (self.folder / "request").write_text(type_)

  def set_up(self) -> None:
    """Gives each worker what setup leaves there."""
    for home in self.homes():
      (home / "tts_jax").mkdir()
      path, home_of = self.folder / "bin" / "python3", {"HOME": str(home)}
      subprocess.run(
        [path, "-m", "uv", "venv"],
        cwd=home / "tts_jax",
        env={**os.environ, **home_of},
        check=True,
      )

  def homes(self) -> list[pathlib.Path]:
    """Of the workers."""
    return sorted((self.folder / "vm").iterdir())

  def exists(self) -> bool:
    """Whether a machine is asked for."""
    return (self.folder / "request").exists()

  def calls(self) -> list[list[str]]:
    """All of gcloud so far."""
    path = self.folder / "calls"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]

  def verbs(self) -> list[str]:
    """What each call was for."""
    known = {"create", "describe", "delete", "ssh", "scp"}
    return [
      next(word for word in call if word in known) for call in self.calls()
    ]

  def start(self, launcher: str, *arguments: str) -> "subprocess.Popen[str]":
    """Starts a launcher on the machine, in a session of its own."""
    return subprocess.Popen(
      [sys.executable, "-m", f"launch.tpu.{launcher}", *WHERE, *arguments],
      cwd=self.folder / "here",
      env={
        **os.environ,
        "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(kill_harness.ROOT),
        "STAND_IN": str(self.folder),
        "TMPDIR": str(self.folder),
      },
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
      start_new_session=True,
    )

  def launch(
    self, launcher: str, *arguments: str
  ) -> "subprocess.CompletedProcess[str]":
    """Runs a launcher to its end."""
    child = self.start(launcher, *arguments)
    out, err = child.communicate(timeout=120)
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)
