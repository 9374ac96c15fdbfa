"""Dataclasses out of the JSON of a card, checked field by field."""

import dataclasses
import pathlib
import types
import typing
from typing import Any

from tts_jax import errors

# Beyond these a number is a slip: no vocabulary, width or context is as large.
_LARGEST = {int: 2**24, float: 1e30}


def build(path: pathlib.Path, name: str, kind: Any, found: Any) -> Any:
  """What a card has under `name`, as a dataclass.

  Args:
    path: of the card.
    name: of the field.
    kind: the dataclass; it may hold others.
    found: what stands there; lists stand for tuples, objects for dataclasses.

  Raises:
    InputError: it is no object; fields are missing, unknown or of another type,
      or the dataclass refuses them.
  """
  if not isinstance(found, dict):
    raise errors.InputError(f"{path}: field {name!r} must be an object")
  known = dataclasses.fields(kind)
  for field in known:
    if field.default is dataclasses.MISSING and field.name not in found:
      raise errors.InputError(f"{path}: field '{name}.{field.name}' is missing")
  for unknown in sorted(set(found) - {field.name for field in known}):
    raise errors.InputError(f"{path}: field '{name}.{unknown}' is unknown")
  hints = typing.get_type_hints(kind)
  values = {
    key: _value(path, f"{name}.{key}", hints[key], value)
    for key, value in found.items()
  }
  try:
    return kind(**values)
  except errors.InputError as error:
    raise errors.InputError(f"{path}: {name}: {error}") from error


def _value(path: pathlib.Path, name: str, kind: Any, found: Any) -> Any:
  origin, inner = typing.get_origin(kind), typing.get_args(kind)
  if origin is types.UnionType:
    if found is None and types.NoneType in inner:
      return None
    kind = inner[0]
  if dataclasses.is_dataclass(kind):
    return build(path, name, kind, found)
  if origin is tuple and isinstance(found, list):
    return tuple(
      _value(path, f"{name}[{place}]", inner[0], one)
      for place, one in enumerate(found)
    )
  allowed = (int, float) if kind is float else (kind,)
  # In this order: what is not NaN compares.
  if type(found) not in allowed or (
    kind in _LARGEST and not abs(found) <= _LARGEST[kind]
  ):
    what = getattr(kind, "__name__", kind)
    raise errors.InputError(
      f"{path}: field {name!r} is {found!r}; it must be a {what}"
      + (f" of at most {_LARGEST[kind]:,}" if kind in _LARGEST else "")
    )
  return found
