"""A config file, read, and its keys held against those that are known."""

import difflib
import itertools
import pathlib
import re
from collections.abc import Collection, Sequence

import ml_collections
from absl import flags

from launch import config_values
from tts_jax import errors


def read(path: str) -> ml_collections.ConfigDict:
  """What the file's `get_config` gives; an InputError where it gives none."""
  file = pathlib.Path(path)
  python = file.suffix == ".py" and file.is_file()
  if not python or b"get_config" not in file.read_bytes():
    raise errors.InputError(f"--config={path}: no file with get_config()")
  try:
    config = flags.FLAGS["config"].parser.parse(path)
  except SyntaxError as error:
    where = f"{path}, line {error.lineno}"
    raise errors.InputError(f"{where}: {error.msg}") from error
  except Exception as error:  # What a person wrote can raise anything.
    raise errors.InputError(f"{path}: {error!r}") from error
  if not isinstance(config, ml_collections.ConfigDict):
    raise errors.InputError(f"{path}: get_config() must give a ConfigDict")
  return config


def check_keys(
  path: str,
  config: ml_collections.ConfigDict,
  default: ml_collections.ConfigDict,
) -> None:
  """Checks that the file at `path` gives the keys of the default, no others.

  Raises:
    errors.InputError: keys are unknown, or missing; all are named.
  """
  found = [key for key, _ in config_values.items(config)]
  known = [key for key, _ in config_values.items(default)]
  lacking = [key for key in known if key not in found]
  faults, meant = [], set()
  for key in found:
    if key not in known and _outer(key) in ("", *known):
      fault = f"no such key {key}"
      for near in _near(key, lacking)[:1]:
        fault += f", did you mean {near}?"
        meant.add(near)
      faults.append(fault)
  for key in lacking:
    # One that a misspelt key stands for has been named.
    if key not in meant and _outer(key) in ("", *found):
      faults.append(f"key {key} is missing")
  if faults:
    raise errors.InputError(f"{path}: {'; '.join(faults)}")


def check_flags(
  path: str, config: ml_collections.ConfigDict, argv: Sequence[str]
) -> None:
  """Checks what `argv` overrides, its keys and their values, or raises."""
  known = dict(config_values.items(config))
  for argument, following in itertools.zip_longest(argv, argv[1:]):
    match = re.match(r"--?(?:no)?config\.([^=]+)(=?)(.*)", argument, re.DOTALL)
    if not match:
      continue
    key, equals, value = match.groups()
    if key not in known:
      near = ", ".join(_near(key, known) or (k for k in known if not _outer(k)))
      fault = f"no such key in {path}; did you mean {near}?"
      raise errors.InputError(f"--config.{key}: {fault}")
    # A truth's flag takes no value from the next argument.
    if equals or (following and not isinstance(known[key], bool)):
      config_values.check(key, known[key], value if equals else following)


def _outer(key: str) -> str:
  return key.rpartition(".")[0]


def _near(key: str, known: Collection[str]) -> list[str]:
  near = difflib.get_close_matches(key, known)
  last = key.rpartition(".")[2]
  same = [k for k in known if k.rpartition(".")[2] == last]
  return near + [k for k in same if k not in near]
