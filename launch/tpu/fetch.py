"""Copies results from a TPU VM to the same place here.

  python -m launch.tpu.fetch --name=tts --zone=us-west4-a --project=PROJECT \
      --path=runs/full

Of several workers, --worker says which.
"""

import sys

from absl import flags

from launch import entry
from launch.tpu import addressing, fetching

addressing.define_flags()
_PATH = flags.DEFINE_string(
  "path", None, "Folder, as runs/full.", required=True
)
_WORKER = flags.DEFINE_integer("worker", 0, "Which has it.", 0)


def main(_: list[str]) -> None:
  """Copies it."""
  fetching.check(_PATH.value)
  sys.exit(fetching.fetch(addressing.given(), _PATH.value, str(_WORKER.value)))


if __name__ == "__main__":
  entry.run(main)
