"""Stands for gcloud on the PATH: notes each call, and answers from a folder.

The folder, $STAND_IN, holds `vm/N`, the home folder of each worker; `request`,
what has been asked for, while there is any; `states`, those that it is in at
the next looks, the last for good; and what a test wants refused, by verb, in
`refuse_VERB`. A worker runs what it is told in its home, for real.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

_FOLDER = pathlib.Path(os.environ["STAND_IN"])
_REQUEST, _STATES = _FOLDER / "request", _FOLDER / "states"


def _flag(name: str, default: str = "") -> str:
  given = [a.partition("=")[2] for a in sys.argv if a.startswith(f"--{name}=")]
  return given[0] if given else default


def _create(name: str) -> str:
  _REQUEST.write_text(_flag("accelerator-type"))
  return f"Created queued resource [{name}]."


def _describe(name: str) -> str:
  left = _STATES.read_text().split()
  _STATES.write_text(" ".join(left[1:] or left))
  error = {"error": {"message": "no capacity"}}
  return json.dumps(
    {
      "name": name,
      "state": {"state": left[0], "failedData": error},
      "tpu": {
        "nodeSpec": [{"node": {"acceleratorType": _REQUEST.read_text()}}]
      },
    }
  )


def _delete(name: str) -> str:
  for job in _FOLDER.glob("vm/*/tts_jax/.job/pid"):
    if not (job.parent / "status").exists():
      os.killpg(int(job.read_text()), signal.SIGKILL)
  time.sleep(float(os.environ.get("DELETING_TAKES", "0")))
  _REQUEST.unlink()
  return f"Deleted queued resource [{name}]."


def _ssh(_: str) -> str:
  failed = 0
  for home in _workers():
    command = ["bash", "-c", _flag("command")]
    env = {**os.environ, "HOME": str(home)}
    done = subprocess.run(command, cwd=home, env=env, check=False)
    failed = failed or done.returncode
  sys.exit(failed)


def _scp(source: str, target: str) -> str:
  for home in _workers():
    if ":" in target:
      shutil.copy(source, home / target.partition(":")[2])
    else:
      path = home / source.partition(":")[2]
      shutil.copytree(path, f"{target}/{path.name}", dirs_exist_ok=True)
  return ""


def _workers() -> list[pathlib.Path]:
  named = _flag("worker", "0")
  return sorted(_FOLDER.glob("vm/*" if named == "all" else f"vm/{named}"))


with (_FOLDER / "calls").open("a") as calls:
  calls.write(json.dumps(sys.argv[1:]) + "\n")
words = [word for word in sys.argv[1:] if not word.startswith("-")]
verb, names = words[-2], words[-1:]
if "scp" in words:
  verb, names = "scp", words[-2:]
refused = _FOLDER / f"refuse_{verb}"
if refused.exists():
  sys.exit(f"ERROR: (gcloud.compute.tpus) {refused.read_text()}")
if verb in ("describe", "delete") and not _REQUEST.exists():
  sys.exit(f"ERROR: NOT_FOUND: Resource {names[0]!r} was not found")
assert re.fullmatch(r"ssh|scp|create|describe|delete", verb), verb
print(globals()[f"_{verb}"](*names))
