"""Values of a config's keys, and what may be given in their place."""

import ast
from collections.abc import Iterator
from typing import Any

import ml_collections
from absl import flags

from tts_jax import errors

_PARSERS: dict[type, flags.ArgumentParser] = {
  bool: flags.BooleanParser(),
  int: flags.IntegerParser(),
  float: flags.FloatParser(),
}
_KINDS = {
  bool: "true or false",
  int: "an integer",
  float: "a number",
  str: "a text",
}
_MANY = {bool: "truths", int: "integers", float: "numbers", str: "texts"}


def items(
  config: ml_collections.ConfigDict, outer: str = ""
) -> Iterator[tuple[str, Any]]:
  """Yields each key, dotted, with its value; a group before its keys."""
  for key, value in config.items(preserve_field_references=True):
    yield outer + key, value
    if isinstance(value, ml_collections.ConfigDict):
      yield from items(value, f"{outer}{key}.")


def kind(value: Any) -> str:
  """What a key that has this value takes, in words."""
  if not isinstance(value, tuple):
    return _KINDS.get(type(value), type(value).__name__)
  if value and isinstance(value[0], tuple):
    return f"a tuple of tuples of {_MANY.get(type(value[0][0]), 'values')}"
  return f"a tuple of {_MANY.get(type(value[0]), 'values') if value else 'any'}"


def check(key: str, value: Any, text: str) -> None:
  """Checks what is given on a command line for a key that has a value.

  Raises:
    errors.InputError: it is of another kind.
  """
  if isinstance(value, ml_collections.ConfigDict):
    inner = ", ".join(f"{key}.{name}" for name in value)
    raise errors.InputError(
      f"--config.{key}={text}: {key} is a group; its keys are {inner}"
    )
  if not _fits(value, text):
    raise errors.InputError(
      f"--config.{key}={text}: {key} takes {kind(value)}, as {value!r}, not"
      f" {text!r}"
    )


def _fits(value: Any, text: str) -> bool:
  if isinstance(value, tuple):
    try:
      given = ast.literal_eval(text)
    except (ValueError, SyntaxError):
      given = text  # One text without quotes.
    return _alike(given if isinstance(given, tuple | list) else (given,), value)
  try:
    _PARSERS.get(type(value), flags.ArgumentParser()).parse(text)
  except ValueError:
    return False
  return True


def _alike(given: Any, value: Any) -> bool:
  """Whether it is of the kind of `value`, and so is all that is in it."""
  if isinstance(value, tuple):
    first = value[:1]
    return isinstance(given, tuple | list) and all(
      _alike(one, kept) for one in given for kept in first
    )
  if isinstance(value, float):
    return isinstance(given, int | float) and not isinstance(given, bool)
  return type(given) is type(value)
