"""Files that are either whole or absent, whatever ends the process.

On a disk by a rename. In object storage there is none, nor need of one: what
one write puts there is seen when all of it is there.
"""

import contextlib
import errno
import glob
import hashlib
import io
import json
import os
import pathlib
import re
from collections.abc import Iterator
from typing import IO, Any

from tts_jax import errors, storage

_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_IN_THE_WAY = (errno.EEXIST, errno.ENOTDIR)
# A place that cannot be written: by its rights, or its file system's.
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def write_bytes(path: pathlib.Path, data: bytes) -> None:
  """Writes a file under a temporary name, flushes it, then renames it.

  After the return, the file survives a power cut. Before it, `path` is what it
  was: a kill leaves at most a temporary file, which `remove_temporary` finds.

  Args:
    path: the file to write; its folder exists.
    data: the whole content.

  Raises:
    InputError: the disk is full, or the folder cannot be written. The temporary
      file is removed.
  """
  with writing(path) as file:
    file.write(data)


@contextlib.contextmanager
def writing(path: pathlib.Path) -> Iterator[IO[bytes]]:
  """A file to write piece by piece, which is `path` once all went well.

  Args:
    path: as of `write_bytes`; what is remote is held in memory until then.

  Raises:
    InputError: as `write_bytes`.
  """
  if storage.is_remote(path):
    whole = io.BytesIO()
    yield whole
    path.write_bytes(whole.getvalue())
    return
  # The process id keeps two writers of one name out of each other's file.
  temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
  try:
    with open(temporary, "wb") as file:
      yield file
      file.flush()
      os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)
  except OSError as error:
    if error.errno in _FULL:
      raise errors.InputError(
        f"{path}: the disk is full; what was written before is whole, so free"
        " some space and run the same command again"
      ) from error
    # Not what else went wrong while it was written.
    if error.errno in REFUSED and error.filename == str(temporary):
      raise errors.InputError(
        f"{path}: this file cannot be written ({error.strerror}); mend the"
        " rights of its folder, or give another"
      ) from error
    raise
  finally:
    if temporary.exists():  # Where nothing can be written, nor can this.
      temporary.unlink()


def write_json(path: pathlib.Path, value: Any) -> None:
  """Writes JSON, indented, by `write_bytes`.

  Raises:
    InputError: the disk is full.
    ValueError: a number is not finite, which JSON cannot say.
    TypeError: a value is not plain data.
  """
  text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
  write_bytes(path, f"{text}\n".encode())


def sync_folder(folder: pathlib.Path) -> None:
  """Flushes a folder's entries: a rename is not durable before this."""
  descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)


def make_folder(folder: pathlib.Path) -> None:
  """Makes a folder and its parents, where they do not exist yet.

  Raises:
    InputError: a file is in the way, the place cannot be written, or the disk
      is full.
  """
  if storage.is_remote(folder):
    return  # It comes with what is in it.
  missing = [path for path in (folder, *folder.parents) if not path.exists()]
  try:
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
      sync_folder(path.parent)
  except OSError as error:
    if error.errno not in (*_FULL, *_IN_THE_WAY, *REFUSED):
      raise
    raise errors.InputError(
      f"{folder}: cannot make this folder ({error.strerror}); name one that can"
      " be written"
    ) from error


def remove_temporary(folder: pathlib.Path) -> tuple[str, ...]:
  """Removes what killed writers left in `folder`; returns the names."""
  left = [path for path in folder.iterdir() if _is_temporary(path)]
  for path in left:
    path.unlink()
  return tuple(sorted(path.name for path in left))


def remove_dead(path: pathlib.Path) -> None:
  """Removes what killed writers of a file left; that of living ones stays.

  For a file in a folder without a lock, where `remove_temporary` would take
  from another process what it is writing.
  """
  for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
    if _is_temporary(left):
      try:
        os.kill(int(left.name.split(".")[-2]), 0)
      except ProcessLookupError:
        left.unlink(missing_ok=True)


def file_hash(path: pathlib.Path) -> str:
  """The first 16 hexadecimal digits of the SHA-256 of a file's bytes."""
  found = hashlib.sha256()
  with path.open("rb") as file:
    while block := file.read(1 << 20):
      found.update(block)
  return found.hexdigest()[:16]


def bytes_hash(data: bytes) -> str:
  """The first 16 hexadecimal digits of the SHA-256 of `data`."""
  return hashlib.sha256(data).hexdigest()[:16]


def _is_temporary(path: pathlib.Path) -> bool:
  return _TEMPORARY.fullmatch(path.name) is not None
