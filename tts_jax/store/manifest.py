"""What made a run: its config, hashed, written first and never mixed."""

import json
import math
import pathlib
from collections.abc import Mapping
from typing import Any

from tts_jax import errors, json_input
from tts_jax.store import atomic

# Raised when the layout of a run folder or the meaning of a column changes.
SCHEMA_VERSION = 1

_SHOWN_DIFFERENCES = 8
_ABSENT = "absent"
# Keys that say on what a run is made, and not what it is: it goes on elsewhere.
_PLACES = ("mesh",)


def config_hash(config: Mapping[str, Any]) -> str:
  """A stable hash of plain data, equal across processes and machines.

  It serves for configs and as well for the inputs of a stage, such as
  `{"model": file_hash, "questions": [...]}`. The order of keys does not
  matter; tuples count as lists; 1 and 1.0 differ.

  Args:
    config: nested mappings and sequences of str, bool, int, float and None.

  Returns:
    16 hexadecimal digits.

  Raises:
    InputError: a value is not plain data or not finite; its key is named.
  """
  return atomic.bytes_hash(_canonical(_plain(config, "")).encode())


def claim(
  path: pathlib.Path, config: Mapping[str, Any], *, replace: bool = False
) -> str:
  """Writes `config` to a new run's file, or checks it against an old one's.

  Args:
    path: the run's `config.json`.
    config: as for `config_hash`.
    replace: put `config` in the place of another one: nothing was made with it.

  Returns:
    The hash of what the file now holds, which may be of another mesh.

  Raises:
    InputError: the file holds another config (each key that differs is named,
      with both values), another schema version, or no JSON; or as
      `config_hash`.
  """
  new = _plain(config, "")
  # Read also to be replaced: a file that is not ours is not overwritten.
  old = read_config(path) if path.exists() else None
  if old is None or (replace and differences(old, new)):
    record = {"schema_version": SCHEMA_VERSION, "config": new}
    atomic.write_json(path, record)
  elif found := differences(_placeless(old), _placeless(new)):
    shown = "; ".join(found[:_SHOWN_DIFFERENCES])
    if len(found) > _SHOWN_DIFFERENCES:
      shown += f"; and {len(found) - _SHOWN_DIFFERENCES} more"
    raise errors.InputError(
      f"{path}: this run was made with another config: {shown}; give the old"
      " values, or another folder"
    )
  else:
    new = old
  return config_hash(new)


def read_config(path: pathlib.Path) -> dict[str, Any]:
  """Reads the config that `claim` wrote.

  Raises:
    InputError: the file is missing, is no JSON, or has another schema version.
  """
  record = json_input.read_object(path, "the config of a run")
  if not isinstance(record.get("config"), dict):
    raise errors.InputError(
      f'{path}: not the config of a run: no object under "config"'
    )
  version = record.get("schema_version")
  if version != SCHEMA_VERSION:
    raise errors.InputError(
      f"{path}: schema version {version!r}, but this program writes"
      f" {SCHEMA_VERSION}; give another folder"
    )
  return record["config"]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
  """Names each key whose value differs: "sampler.top_p was 1.0, is now 0.9"."""
  before, after = _flat(old, ""), _flat(new, "")
  return [
    f"{key} was {before.get(key, _ABSENT)}, is now {after.get(key, _ABSENT)}"
    for key in sorted(before.keys() | after.keys())
    if before.get(key) != after.get(key)
  ]


def is_addition(difference: str) -> bool:
  """Whether one of `differences` is of a key that the old config lacks."""
  return f" was {_ABSENT}, is now " in difference


def _placeless(config: Mapping[str, Any]) -> dict[str, Any]:
  return {key: value for key, value in config.items() if key not in _PLACES}


def _canonical(value: Any) -> str:
  return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _plain(value: Any, key: str) -> Any:
  """Copies plain data, tuples as lists; anything else is an error."""
  if isinstance(value, Mapping):
    for name in value:
      if not isinstance(name, str):
        raise errors.InputError(
          f"config key {_join(key, name)} is not a string"
        )
    return {
      name: _plain(item, _join(key, name)) for name, item in value.items()
    }
  if isinstance(value, list | tuple):
    return [_plain(item, f"{key}[{i}]") for i, item in enumerate(value)]
  # By exact type: subclasses (NumPy's float64, an enum) print otherwise.
  if type(value) not in (str, bool, int, float, type(None)):
    raise errors.InputError(
      f"config key {key} holds a {type(value).__name__}; it must be a str,"
      " bool, int, float, None, list or mapping"
    )
  if isinstance(value, float) and not math.isfinite(value):
    raise errors.InputError(f"config key {key} is {value}; it must be finite")
  return value


def _flat(value: Any, key: str) -> dict[str, str]:
  """Maps "outer.inner" to JSON text; an empty mapping is a leaf."""
  if not isinstance(value, Mapping) or (not value and key):
    return {key: _canonical(value)}
  leaves: dict[str, str] = {}
  for name, item in value.items():
    leaves |= _flat(item, _join(key, name))
  return leaves


def _join(key: str, name: Any) -> str:
  return f"{key}.{name}" if key else str(name)
