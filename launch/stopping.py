"""SIGTERM, which machines get before they are taken away: leaving in order."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from launch import processes
from tts_jax import hosts

# Seconds that process 0 of several outlives its fault: the others end with it,
# and say first what ends them, too.
_GRACE = 2


class Terminated(BaseException):
  """SIGTERM came; no fault, so that nothing takes it for one."""


def listen() -> None:
  """From now on SIGTERM raises `Terminated` in the main thread."""
  signal.signal(signal.SIGTERM, _leave)


@contextlib.contextmanager
def deferred() -> Iterator[Callable[[], bool]]:
  """Within it SIGTERM waits for the end; gives what tells whether it came.

  Of several processes all are told that it came to one of them.

  Raises:
    Terminated: at the end, where it came.
  """
  came = threading.Event()
  before = signal.signal(signal.SIGTERM, lambda *_: came.set())
  try:
    yield lambda: hosts.any_of(came.is_set())
  finally:
    signal.signal(signal.SIGTERM, before)
  if hosts.any_of(came.is_set()):
    raise Terminated


def follow(command: Sequence[str]) -> int:
  """Runs a command; SIGTERM goes on to it, and waits for its end.

  Returns:
    Its exit status.
  """
  child = subprocess.Popen(command)
  try:
    return child.wait()
  except Terminated:
    child.terminate()
    child.wait()
    raise


def refuse(said: str) -> NoReturn:
  """Says why, and ends this process with status 2, as bad input does."""
  if processes.joined():
    leave(2, said)
  print(said, file=sys.stderr)
  sys.exit(2)


def leave(status: int, said: str) -> NoReturn:
  """Says why, and ends this process."""
  print(said, file=sys.stderr, flush=True)
  sys.stdout.flush()
  if processes.joined() and hosts.is_first():
    time.sleep(_GRACE)
  # At once: a step that still runs is torn down with Python under it, and
  # crashes. Files are whole at every moment, the kernel drops the lock, and a
  # lease in object storage lapses.
  os._exit(status)


def _leave(number: int, frame: Any) -> None:
  raise Terminated
