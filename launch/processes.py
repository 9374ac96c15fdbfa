"""Several processes, each on a host of its own, that do one launcher's work.

All are started alike, but for the number of each:

  python -m launch.sample --coordinator=HOST:PORT --processes=2 --process=0 ...

On the hosts of a TPU slice no flag is needed. Where a process ends before the
others, these end too: on CPUs at once, else `HEARTBEAT` seconds later.
"""

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any

import jax
from absl import flags

from launch import workers
from tts_jax import errors, hosts

_COORDINATOR = flags.DEFINE_string(
  "coordinator", None, "HOST:PORT of process 0, where there are several."
)
_PROCESSES = flags.DEFINE_integer("processes", None, "How many there are.")
_PROCESS = flags.DEFINE_integer("process", None, "Which this is, from 0.")
# Seconds after which a silent process counts as dead, and in which all start.
HEARTBEAT, START = 100, 300


def join(able: bool) -> None:
  """Joins this process with the others, where there are any.

  Args:
    able: the launcher's work can be done by several.

  Raises:
    InputError: half of the flags is given, or wrong; the launcher is not able;
      the others do not come.
  """
  ours = _COORDINATOR, _PROCESSES, _PROCESS
  given: Any = {one.name: one.value for one in ours}
  missing = [f"--{name}" for name, value in given.items() if value is None]
  if 0 < len(missing) < len(given):
    raise errors.InputError(
      f"{' and '.join(missing)} missing: --coordinator, --processes and"
      " --process go together"
    )
  count = workers.count() if missing else given["processes"]
  if not missing and not 0 <= given["process"] < max(count, 1):
    what = f"--process is {given['process']} of {count}"
    raise errors.InputError(f"{what}; it must be from 0 to below --processes")
  if count <= 1:
    return
  if not able:
    raise errors.InputError(
      f"this launcher cannot run on several hosts yet, and here are {count};"
      " start it on one, and there on a TPU's host with JAX_PLATFORMS=cpu"
    )
  logging.getLogger("jax._src.distributed").setLevel(logging.WARNING)
  # Its handler would take SIGTERM from ours.
  jax.config.update("jax_enable_preemption_service", False)
  where = given["coordinator"], given["processes"], given["process"]
  try:
    jax.distributed.initialize(
      *where,
      heartbeat_timeout_seconds=HEARTBEAT,
      initialization_timeout=START,
      cluster_detection_method=None if missing else "deactivate",
    )
  except (RuntimeError, ValueError) as error:
    raise errors.InputError(f"{count} did not meet: {error}") from error


def joined() -> bool:
  """Whether there are several."""
  return jax.distributed.is_initialized()


@contextlib.contextmanager
def joining(able: bool) -> Iterator[None]:
  """Joined within it, as by `join`; process 0 alone shows how far it is."""
  join(able)
  with contextlib.ExitStack() as stack:
    if joined() and not hosts.is_first():
      nowhere = stack.enter_context(open(os.devnull, "w"))
      stack.enter_context(contextlib.redirect_stdout(nowhere))
      stack.enter_context(contextlib.redirect_stderr(nowhere))
    yield
