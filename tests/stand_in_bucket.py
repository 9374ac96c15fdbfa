"""Buckets on this machine's disk, behind gs://, for what is run with them.

  TTS_BUCKETS=FOLDER python tests/stand_in_bucket.py launch.sample \
      --out=gs://stand-in/run

They hold objects and no folders. An object is there once it is closed, and no
earlier; nothing is renamed, appended to or copied: that is refused, and not
made up for, so that what takes a bucket for a disk is noticed. With
TTS_BUCKETS_KILL=pool,3 the process dies amid its third write to a folder pool.
"""

import io
import os
import pathlib
import runpy
import sys
import urllib.parse

import fsspec

FOLDER, KILL = "TTS_BUCKETS", "TTS_BUCKETS_KILL"


class _Written(io.BytesIO):
  """What will be an object."""

  def __init__(self, place: pathlib.Path):
    super().__init__()
    self._place = place

  def close(self):
    if not self.closed:
      folder, _, count = os.environ.get(KILL, "").partition(",")
      Buckets.writes += f"%2F{folder}%2F" in self._place.name
      if count and Buckets.writes == int(count):
        os._exit(137)
      whole = self._place.with_suffix(".partial")
      whole.write_bytes(self.getvalue())
      whole.replace(self._place)
    super().close()


class Buckets(fsspec.AbstractFileSystem):
  """fsspec's file system of gs://, a file for each object."""

  protocol = ("gs", "gcs")
  cachable = False
  writes = 0

  def __init__(self, finalize_on_close: bool = False, **settings):
    super().__init__(**settings)
    self._root = pathlib.Path(os.environ[FOLDER])

  def ls(self, path, detail=True, **_):
    path = self._strip_protocol(path)
    if not path.partition("/")[0].startswith("stand-in"):
      raise OSError("Forbidden: no access to this bucket")
    found = {}
    for name, size in self._objects():
      if name == path:
        found[name] = dict(name=name, size=size, type="file")
      elif name.startswith(f"{path}/"):
        rest = name.removeprefix(f"{path}/")
        inner, slash, _ = rest.partition("/")
        kind = (
          dict(size=0, type="directory")
          if slash
          else dict(size=size, type="file")
        )
        found[inner] = dict(name=f"{path}/{inner}", **kind)
    if not found:
      raise FileNotFoundError(path)
    return (
      list(found.values())
      if detail
      else [one["name"] for one in found.values()]
    )

  def info(self, path, **_):
    path = self._strip_protocol(path)
    for one in self.ls(path):
      if one["name"] == path:
        return one
    return dict(name=path, size=0, type="directory")

  def _objects(self):
    for file in self._root.glob("*.object"):
      name = urllib.parse.unquote(file.name.removesuffix(".object"))
      yield name, file.stat().st_size

  def _file(self, path):
    name = urllib.parse.quote(self._strip_protocol(path), safe="")
    return self._root / f"{name}.object"

  def _open(self, path, mode="rb", **_):
    if mode == "wb":
      return _Written(self._file(path))
    if mode != "rb":
      raise NotImplementedError(f"a bucket opens no object with {mode}")
    return io.BytesIO(self._file(path).read_bytes())

  def _rm(self, path):
    self._file(path).unlink()

  def _refuse(self, *_, **__):
    raise NotImplementedError("a bucket has no such operation")

  mkdir = makedirs = rmdir = mv = mv_file = rename = move = _refuse
  cp_file = copy = _refuse


def register() -> None:
  """Puts the buckets behind gs://."""
  for name in Buckets.protocol:
    fsspec.register_implementation(name, Buckets, clobber=True)


if __name__ == "__main__":
  register()
  sys.argv.pop(0)
  sys.path.insert(0, os.getcwd())
  runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
