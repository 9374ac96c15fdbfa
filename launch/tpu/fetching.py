"""Results, from a TPU VM to the same place here."""

import pathlib
import re

from launch.tpu import job, machine
from tts_jax import errors


def check(path: str) -> None:
  """An InputError unless it is a folder below the project's."""
  if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", path) or ".." in path.split("/"):
    raise errors.InputError(
      f"{path!r} is no folder below the project's on the machine, as runs/full"
    )


def fetch(target: machine.Machine, path: str, worker: str = "0") -> int:
  """Copies a folder of one worker to the same path here; gcloud's status."""
  here = pathlib.Path(path).parent
  if not target.dry_run:
    here.mkdir(parents=True, exist_ok=True)
  return target.fetch(f"{job.FOLDER}/{path}", f"{here}/", worker)
