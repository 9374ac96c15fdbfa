"""Who writes a run in object storage, where nothing can be locked.

A lease is an object that says which process writes, and when it last said so.
It keeps a second process out as long as the first one lives; it is no lock: two
both write that begin within a moment of each other, on clocks that differ by
more than `STALE`, or after one was suspended for longer, which then says so.
The same rows have the same name, so that one object is then written twice; or,
where their machines count otherwise, there are two of one batch, which every
reader refuses.
"""

import json
import os
import pathlib
import secrets
import socket
import sys
import threading
import time
import warnings
from typing import Any

from tts_jax import errors
from tts_jax.store import atomic

# Seconds between two signs of life; after which a holder that gave none is
# taken for dead; and until what was written at once shows.
BEAT, STALE, SETTLE = 30.0, 120.0, 1.0


class Lease:
  """A lease that this process holds until `release`."""

  def __init__(self, path: pathlib.Path):
    """Takes the lease at `path`.

    Raises:
      InputError: another process holds it, or the object cannot be written.
    """
    self._path = path
    self._token, self._process = secrets.token_hex(8), os.getpid()
    check(path)
    try:
      self._write()
    except Exception as error:  # Each backend raises its own.
      said = errors.in_a_line(error)
      raise errors.InputError(
        f"{path.parent}: this folder is not writable ({said}); give another, or"
        " make it so"
      ) from error
    try:
      self._settle()
    except BaseException:
      if self._is_ours():
        path.unlink(missing_ok=True)
      raise
    self._end = threading.Event()
    self._beating = threading.Thread(target=self._beat, daemon=True)
    self._beating.start()

  def release(self) -> None:
    """Gives it up; of a forked child, it is its parent's."""
    if os.getpid() != self._process or self._end.is_set():
      return
    self._end.set()
    self._beating.join()
    try:
      if self._is_ours():
        self._path.unlink(missing_ok=True)
    except Exception as error:  # Each backend raises its own.
      # What the run ends with matters more.
      said = f"{self._path}: not given up; it lapses: {error}"
      warnings.warn(said, stacklevel=2)

  def _settle(self) -> None:
    """Waits until what was written at once shows; of two, the last one stays.

    Raises:
      InputError: it is another's.
    """
    time.sleep(SETTLE)
    while not self._is_ours():
      check(self._path)
      self._write()
      time.sleep(SETTLE)

  def _beat(self) -> None:
    while not self._end.wait(BEAT):
      try:
        if not self._is_ours():
          # Taken or removed, while this process was suspended or cut off.
          said = "is no longer this process's: end it, if another writes"
          print(f"{self._path}: {said}", file=sys.stderr)
          return
        self._write()
      except Exception:  # Of the network: the next may pass, of four.
        continue

  def _is_ours(self) -> bool:
    return _read(self._path).get("token") == self._token

  def _write(self) -> None:
    mine = {"host": _host(), "process": self._process}
    seen = {"token": self._token, "time": time.time()}
    atomic.write_json(self._path, {**mine, **seen})


def check(path: pathlib.Path) -> None:
  """Checks that nobody holds the lease at `path`.

  Raises:
    InputError: a process does, or did so within `STALE` and is not known to
      have ended: of another machine's, nothing is known.
  """
  found = _read(path)
  age = time.time() - found.get("time", 0)
  if age > STALE or _is_dead(found):
    return
  raise errors.InputError(
    f"{path.parent}: process {found['process']} of {_name(found)} is writing"
    f" this run, or was {max(age, 0):.0f} s ago; end it, or give another"
    f" folder; if it was killed, try again in {STALE - age:.0f} s"
  )


def _name(found: dict[str, Any]) -> str:
  return str(found["host"]).partition(" ")[0]


def _read(path: pathlib.Path) -> dict[str, Any]:
  try:
    # With a run that was copied from a disk comes its lock, which is empty.
    return json.loads(path.read_bytes() or b"{}")
  except FileNotFoundError:
    return {}


def _host() -> str:
  """Where a process number means one process: a boot, and a namespace of it."""
  parts = [socket.gethostname()]
  boot = pathlib.Path("/proc/sys/kernel/random/boot_id")
  if boot.exists():  # Linux.
    parts += [boot.read_text().strip(), os.readlink("/proc/self/ns/pid")]
  return " ".join(parts)


def _is_dead(found: dict[str, Any]) -> bool:
  if found["host"] != _host():
    return False
  try:
    os.kill(found["process"], 0)
  except ProcessLookupError:
    return True
  except PermissionError:
    return False  # Another user's.
  return False
