"""A TPU VM, and gcloud's commands to it."""

import dataclasses
import json
import shlex
import subprocess
from typing import Any

from tts_jax import errors


@dataclasses.dataclass(frozen=True)
class Machine:
  """A queued resource, and its TPU VM of the same name.

  Attributes:
    name: of both.
    zone: where it stands.
    project: that pays for it.
    dry_run: commands are printed, shell-quoted, and not run.
  """

  name: str
  zone: str
  project: str
  dry_run: bool = False

  def request(self, verb: str, *more: str, track: str = "") -> list[str]:
    """A command about the queued resource."""
    words = [*([track] if track else []), "compute", "tpus", "queued-resources"]
    return ["gcloud", *words, verb, self.name, *self._where(), *more]

  def ssh(self, script: str, worker: str = "all") -> int:
    """Runs a shell script on workers; the first status that is not 0, or 0."""
    return self._vm(
      "ssh", self.name, f"--worker={worker}", f"--command={script}"
    )

  def send(self, file: str, target: str) -> int:
    """Copies a file to the home folders of all workers."""
    return self._vm("scp", file, f"{self.name}:{target}", "--worker=all")

  def fetch(self, path: str, target: str, worker: str = "0") -> int:
    """Copies a folder of one worker into a local one."""
    source = f"{self.name}:{path}"
    return self._vm("scp", source, target, f"--worker={worker}", "--recurse")

  def describe(self) -> dict[str, Any] | None:
    """What the service says of it; None if it knows of none."""
    done = self.ask(self.request("describe", "--format=json"))
    if not done.returncode:
      return json.loads(done.stdout) if done.stdout else None
    if "NOT_FOUND" in done.stderr:
      return None
    raise errors.InputError(
      f"gcloud says nothing of {self.name}: {done.stderr}"
    )

  def call(self, command: list[str]) -> int:
    """Runs a command to its end and gives its status, or prints it alone."""
    if self.dry_run:
      print(shlex.join(command))
      return 0
    return subprocess.run(command, check=False).returncode

  def ask(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
    """As `call`, with what the command wrote; it can ask nothing back."""
    if self.dry_run:
      return subprocess.CompletedProcess(command, self.call(command), "", "")
    return subprocess.run(
      command,
      check=False,
      capture_output=True,
      text=True,
      stdin=subprocess.DEVNULL,
    )

  def launcher(self, name: str) -> str:
    """The command of a launcher of this package on it."""
    words = ["python", "-m", f"launch.tpu.{name}", f"--name={self.name}"]
    return shlex.join([*words, *self._where()])

  def _vm(self, verb: str, *words: str) -> int:
    return self.call(
      ["gcloud", "compute", "tpus", "tpu-vm", verb, *words, *self._where()]
    )

  def _where(self) -> list[str]:
    return [f"--zone={self.zone}", f"--project={self.project}"]
