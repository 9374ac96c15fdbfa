"""Waiting for a queued resource to become a machine."""

import sys
import time

from launch.tpu import machine
from tts_jax import errors

# Of a request that gives no machine any more.
_ENDED = ("FAILED", "SUSPENDING", "SUSPENDED", "DELETING")


def wait(target: machine.Machine, seconds: float) -> None:
  """Waits until it is ACTIVE, and says what it is meanwhile.

  Args:
    target: what has been asked for.
    seconds: between looks.

  Raises:
    errors.InputError: it is gone, or will not come.
  """
  said = ""
  try:
    while said != "ACTIVE":
      found = target.describe()
      if found is None:
        raise errors.InputError(f"{target.name} has been deleted meanwhile")
      state = found["state"]["state"]
      if state != said:
        print(f"{time.strftime('%H:%M:%S')} {target.name}: {state}", flush=True)
      if state in _ENDED:
        reason = found["state"].get("failedData", {}).get("error", {})
        raise errors.InputError(
          f"{target.name} is {state}: {reason.get('message', 'without reason')}"
          f"; before you ask again: {target.launcher('delete')}"
        )
      said = state
      if said != "ACTIVE":
        time.sleep(seconds)
  except KeyboardInterrupt:
    print(
      f"{target.name} stays asked for, and is billed once it is there; to"
      f" delete it: {target.launcher('delete')}",
      file=sys.stderr,
    )
    raise
