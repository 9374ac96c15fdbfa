"""Installs this checkout, as it stands, on all workers of a TPU VM.

  python -m launch.tpu.setup --name=tts --zone=us-west4-a --project=PROJECT

Its packages go to tts_jax/ there, with an environment of their own in
tts_jax/.venv: the machines' Python is older than what is needed. Done again it
sends what has changed. For slices of several machines the key that gcloud made
must be known to the agent: ssh-add ~/.ssh/google_compute_engine.
"""

import pathlib
import sys
import tempfile

from absl import flags

from launch import entry
from launch.tpu import addressing, job
from tts_jax import errors

addressing.define_flags()
_PYTHON = flags.DEFINE_string("python", "3.12", "Version of Python.")

_ROOT = pathlib.Path(__file__).parent.parent.parent
_SENT = (
  "LICENSE",
  "README.md",
  "configs",
  "launch",
  "pyproject.toml",
  "tts_jax",
)


def main(_: list[str]) -> None:
  """Sends and installs; ends with the status of what fails first."""
  target = addressing.given()
  if missing := [name for name in _SENT if not (_ROOT / name).exists()]:
    raise errors.InputError(
      f"{_ROOT} has no {', '.join(missing)}; run this from a checkout"
    )
  file = pathlib.Path(tempfile.gettempdir()) / f"{target.name}.tar.gz"
  pack = ["tar", "-czf", str(file), "--exclude=__pycache__", "-C", str(_ROOT)]
  try:
    status = (
      target.call([*pack, *_SENT])
      or target.send(str(file), f"{job.FOLDER}.tar.gz")
      or target.ssh(_script(_PYTHON.value))
    )
  finally:
    file.unlink(missing_ok=True)
  sys.exit(status)


def _script(python: str) -> str:
  """What the workers do with what was sent."""
  return f"""set -e
mkdir -p {job.FOLDER}
tar -xzf {job.FOLDER}.tar.gz -C {job.FOLDER}
cd {job.FOLDER}
python3 -m pip install --quiet --user uv
python3 -m uv venv --quiet --seed --allow-existing --python {python} .venv
python3 -m uv pip install --quiet --python .venv/bin/python -e '.[tpu]'
JAX_PLATFORMS=tpu .venv/bin/python -c 'import jax; print(jax.devices())'"""


if __name__ == "__main__":
  entry.run(main)
