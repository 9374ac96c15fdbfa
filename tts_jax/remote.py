"""Objects in a bucket, as paths that answer as pathlib's do.

There are no folders: one is there as long as an object's name begins with it.
"""

import fnmatch
import functools
import io
import logging
import os
import pathlib
import shutil
import stat
import tempfile
from collections.abc import Iterator
from typing import Any, NoReturn, cast

import fsspec
from etils.epath import gpath

from tts_jax import errors

_SCHEME = "gs://"
# What of a model's folder is read; published ones hold much beside it.
_OF_MODELS = (".json", ".safetensors", ".jinja", ".bpe")
_reached: set[str] = set()
# Otherwise what other machines write is not seen by a process that has looked.
fsspec.config.conf.setdefault("gcs", {}).setdefault("use_listings_cache", False)
logging.getLogger("fsspec").setLevel(logging.WARNING)  # It tells each opening.


class Remote(gpath.PosixGPath):
  """An epath that leaves nothing to how its backend treats what is absent.

  fsspec takes a fault of the network for an absent file, and lists a file as
  if it were a folder with itself in it.
  """

  def stat(self) -> os.stat_result:
    """What it is and how many bytes; the rest is 0.

    Raises:
      FileNotFoundError: there is neither such an object nor such a folder.
    """
    found = super().stat()
    kind = stat.S_IFDIR if found.is_directory else stat.S_IFREG
    return os.stat_result((kind, 0, 0, 0, 0, 0, found.length or 0, 0, 0, 0))

  def exists(self) -> bool:
    """Whether there is such an object, or a folder."""
    return self._kind() is not None

  def is_dir(self) -> bool:
    """Whether the names of objects begin with this one and a slash."""
    return self._kind() == stat.S_IFDIR

  def is_file(self) -> bool:
    """Whether there is such an object."""
    return self._kind() == stat.S_IFREG

  def _kind(self) -> int | None:
    try:
      return self.stat().st_mode
    except FileNotFoundError:
      return None

  def iterdir(self) -> Iterator["Remote"]:
    """What is in a folder; nothing in one that is not there."""
    if self.is_dir():
      # A folder that a console made has an object of its own name in it.
      yield from (path for path in super().iterdir() if path != self)

  def glob(self, pattern: str) -> Iterator["Remote"]:
    """As pathlib's, without `**`."""
    first, _, rest = pattern.partition("/")
    for path in self.iterdir():
      if fnmatch.fnmatchcase(path.name, first):
        yield from path.glob(rest) if rest else [path]

  def rglob(self, pattern: str) -> Iterator["Remote"]:
    """As pathlib's, of a name's pattern."""
    for path in self.iterdir():
      if fnmatch.fnmatchcase(path.name, pattern):
        yield path
      yield from path.rglob(pattern)

  def mkdir(self, *_: Any, **__: Any) -> None:
    """Nothing: a folder is there with what is in it."""

  def absolute(self) -> "Remote":
    """The path itself."""
    return self

  def rename(self, target: Any) -> NoReturn:
    """Never: each object would be copied and removed, and a kill leave both.

    Raises:
      io.UnsupportedOperation: always.
    """
    raise io.UnsupportedOperation(f"{self}: object storage renames nothing")

  replace = rename


def at(name: str) -> pathlib.Path:
  """The path of an object or a folder of them; its bucket is looked at once.

  Args:
    name: `gs://BUCKET/NAME`.

  Raises:
    InputError: as `storage.at`.
  """
  bucket = name.removeprefix(_SCHEME).partition("/")[0]
  if not name.startswith(_SCHEME) or not bucket:
    raise errors.InputError(
      f"{name}: names no place; expected a local path, or gs://BUCKET/NAME"
    )
  path = Remote(name)
  if bucket not in _reached:
    try:
      path.exists()
    except Exception as error:  # Each backend raises its own.
      said = errors.in_a_line(error)
      raise errors.InputError(
        f"{name}: cannot be reached: {said}; gs:// takes `pip install gcsfs`, a"
        " bucket that is there, and `gcloud auth application-default login`"
      ) from error
    _reached.add(bucket)
  return cast(pathlib.Path, path)


@functools.cache
def fetch(folder: pathlib.Path) -> pathlib.Path:
  """A copy of a model's folder on this machine; see `storage.fetched`."""
  if not folder.is_dir():
    raise errors.InputError(f"{folder}: no such folder; give that of a model")
  copy = pathlib.Path(_room().name) / str(folder).removeprefix(_SCHEME)
  for path in folder.rglob("*"):
    if path.suffix in _OF_MODELS and path.is_file():
      here = copy / path.relative_to(folder)
      here.parent.mkdir(parents=True, exist_ok=True)
      with path.open("rb") as source, here.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 24)
  return copy


@functools.cache
def _room() -> tempfile.TemporaryDirectory[str]:
  return tempfile.TemporaryDirectory(prefix="tts_jax-")
