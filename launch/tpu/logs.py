"""Shows what the command of launch.tpu.run writes, until it ends.

  python -m launch.tpu.logs --name=tts --zone=us-west4-a --project=PROJECT

Ends with the status of the command on that worker. Interrupted, or cut off, the
command goes on.
"""

import sys

from absl import flags

from launch import entry
from launch.tpu import addressing, job

addressing.define_flags()
_WORKER = flags.DEFINE_integer("worker", 0, "Whose.", 0)
_LINES = flags.DEFINE_integer("lines", 100, "Of the past.", 0)


def main(_: list[str]) -> None:
  """Follows the log."""
  target, worker = addressing.given(), str(_WORKER.value)
  followed = target.ssh(job.follow(str(_LINES.value)), worker)
  sys.exit(followed or target.ssh(job.finish(), worker))


if __name__ == "__main__":
  entry.run(main)
