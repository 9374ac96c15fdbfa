"""Runs a command on all workers of a TPU VM, and shows what worker 0 writes.

  python -m launch.tpu.run --name=tts --zone=us-west4-a --project=PROJECT -- \
      python -m launch.reproduce --full
  python -m launch.tpu.run ... --fetch=runs/full --delete_on_exit -- COMMAND

It ends with the status of the first worker that fails. Interrupted, or cut off,
the command goes on there: launch.tpu.logs follows it. With --delete_on_exit the
machine is deleted when this ends, however it does, unless another command goes
on there. Before that --fetch copies a folder from worker 0 to the same place
here, also of a failed command, but not after an interrupt.
"""

import contextlib
import shlex
import sys

from absl import flags

from launch import entry
from launch.tpu import addressing, deleting, fetching, job, machine
from tts_jax import errors

addressing.define_flags()
_FETCH = flags.DEFINE_string("fetch", "", "Folder to copy here at the end.")
_DELETE = flags.DEFINE_bool("delete_on_exit", False, "Delete the machine.")


def main(argv: list[str]) -> None:
  """Runs it, and ends with its status."""
  target = addressing.given()
  if not argv[1:]:
    raise errors.InputError("no command; it stands behind --")
  if _FETCH.value:
    fetching.check(_FETCH.value)
  with contextlib.ExitStack() as stack:
    if _DELETE.value:
      deleting.on_exit(stack, target)
    else:
      stack.callback(_tell, target)
    status = target.ssh(job.start(shlex.join(argv[1:])))
    if status == job.BUSY:
      stack.pop_all()  # It does what another run is for.
      sys.exit(status)
    if not status:
      status = target.ssh(job.follow(), "0") or target.ssh(job.finish())
    if _FETCH.value:  # What a failed one has written, too.
      lost = fetching.fetch(target, _FETCH.value)
      status = status or lost
  sys.exit(status)


def _tell(target: machine.Machine) -> None:
  """Says what goes on, and costs."""
  if not target.dry_run:
    print(
      f"{target.name} is billed on; to follow what goes on, and to delete it:"
      f"\n  {target.launcher('logs')}\n  {target.launcher('delete')}",
      file=sys.stderr,
      flush=True,
    )


if __name__ == "__main__":
  entry.run(main, words=True)
