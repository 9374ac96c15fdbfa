"""The folder of a run that several processes make: process 0's.

The others have a copy of what is in it, which goes when they end. All read and
write in their own, so that no process needs another's disk.
"""

import contextlib
import json
import pathlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tts_jax import errors, hosts, storage
from tts_jax.store import atomic, manifest, run

# Of process 0 alone, which shows the others what it restores.
_STATES = (run.CHECKPOINTS, run.BEST)


@contextlib.contextmanager
def opened(out: str, config: Mapping[str, Any]) -> Iterator[run.Run]:
  """The run at `out`, opened as by `run.Run.open`, on each process.

  Shards of it are those that process 0 made, everywhere.

  Raises:
    InputError: as `run.Run.open`, on all processes; they have other configs.
  """
  if hosts.single():
    with run.Run.open(out, config) as folder:
      yield folder
    return
  with contextlib.ExitStack() as stack:
    path = storage.at(out)
    with hosts.alike():
      if hosts.is_first():
        folder = stack.enter_context(run.Run.open(path, config))
    same(f"{out}: its config", lambda: manifest.config_hash(config))
    if not hosts.is_first():
      path = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
    fresh = hosts.any_of(hosts.is_first() and folder.fresh)
    _copy(path)
    if not hosts.is_first():
      folder = stack.enter_context(run.Run.open(path, config))
    folder.fresh, folder.agree = fresh, hosts.share
    yield folder
    hosts.any_of(False)  # None leaves before process 0 has written its last.


def same(what: str, find: Callable[[], str]) -> None:
  """Checks that all processes find the same, as a hash; one alone finds none.

  Raises:
    InputError: this one found another than process 0; raised on all of them.
  """
  if hosts.single():
    return
  with hosts.alike():
    found = find().encode()
    if hosts.share(found) != found:
      raise errors.InputError(
        f"{what} is another than that of process 0; give all of them the same"
        " flags and files"
      )


def _copy(path: pathlib.Path) -> None:
  """Copies the files of process 0's folder to those of the others."""
  names = [
    str(one.relative_to(path))
    for one in sorted(path.rglob("*"))
    if one.is_file()
    and one.relative_to(path).parts[0] not in _STATES
    and one.suffix != ".safetensors"  # Weights that it wrote at its end.
  ]
  for name in json.loads(hosts.share(json.dumps(names).encode())):
    mine = hosts.is_first()
    data = hosts.share((path / name).read_bytes() if mine else b"")
    if not mine:
      atomic.make_folder((path / name).parent)
      atomic.write_bytes(path / name, data)
