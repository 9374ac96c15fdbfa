"""The end of a machine, and of what it costs."""

import contextlib
import signal

from launch.tpu import machine
from tts_jax import errors


def delete(target: machine.Machine) -> None:
  """Deletes it; an InputError if it may still be there."""
  if not target.dry_run:
    print(f"deleting {target.name}, which takes minutes", flush=True)
  done = target.ask(target.request("delete", "--force", "--quiet"))
  if "NOT_FOUND" in done.stderr:
    where = f"{target.zone} of {target.project}"
    print(f"{target.name} is gone already: there is none in {where}")
  elif done.returncode:
    raise errors.InputError(
      f"{target.name} is NOT deleted, and billed on: {done.stderr.strip()}; try"
      f" again: {target.launcher('delete')}"
    )
  elif not target.dry_run:
    print(f"{target.name} is deleted, and billed no more", flush=True)


def on_exit(stack: contextlib.ExitStack, target: machine.Machine) -> None:
  """Deletes it when `stack` ends, also by the signals that end a process."""
  ends = (signal.SIGTERM, signal.SIGHUP)
  for number in ends:
    signal.signal(number, signal.default_int_handler)

  def end() -> None:
    # A second Ctrl-C would leave it behind; gcloud inherits this.
    for number in (signal.SIGINT, *ends):
      signal.signal(number, signal.SIG_IGN)
    delete(target)

  stack.callback(end)
