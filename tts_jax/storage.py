"""Where files lie: on this machine's disks, or in object storage, by gs://."""

import os
import pathlib


def at(place: str | os.PathLike[str]) -> pathlib.Path:
  """The path of a place, which answers as pathlib's do wherever it lies.

  Args:
    place: a local path, or `gs://BUCKET/NAME`.

  Raises:
    InputError: no bucket is named, or it cannot be reached; another scheme.
  """
  name = os.fspath(place)
  if "://" not in name:
    return pathlib.Path(name)
  from tts_jax import remote  # Slow, and few runs need it.

  return remote.at(name)


def is_remote(path: pathlib.Path) -> bool:
  """Whether a path, of `at`, is in object storage.

  There an object is there whole or not at all, and is replaced by one write;
  nothing is renamed, appended to, locked or mapped to memory.
  """
  return "://" in os.fspath(path)


def fetched(place: str | os.PathLike[str]) -> pathlib.Path:
  """The folder of a model: where it is, or if that is remote, a copy here.

  A folder is fetched once in a process, to its folder for temporary files,
  $TMPDIR, and removed from there when the process ends other than by a kill.

  Args:
    place: as of `at`.

  Raises:
    InputError: as `at`; there is no such folder.
  """
  path = at(place)
  if not is_remote(path):
    return path
  from tts_jax import remote

  return remote.fetch(path)
