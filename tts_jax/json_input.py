"""JSON from outside: what it holds, or in one line why it cannot be read."""

import json
import pathlib
from typing import Any

from tts_jax import errors


def check_file(path: pathlib.Path, expected: str) -> None:
  """Checks that a file is there.

  Args:
    path: the file.
    expected: what would be right, for the message.

  Raises:
    InputError: there is none, or a folder in its place.
  """
  if path.is_dir():
    raise errors.InputError(f"{path}: a folder; expected {expected}")
  if not path.is_file():
    raise errors.InputError(f"{path}: no such file; expected {expected}")


def read_object(
  path: pathlib.Path, expected: str = "a JSON file"
) -> dict[str, Any]:
  """The object that a file holds.

  Args:
    path: the file, UTF-8.
    expected: what would be right, where there is no file.

  Raises:
    InputError: as `check_file` and `parse`, or it holds no object.
  """
  check_file(path, expected)
  found = parse(path.read_bytes(), str(path))
  if not isinstance(found, dict):
    raise errors.InputError(
      f"{path}: must be a JSON object; it is a {type(found).__name__}"
    )
  return found


def parse(data: bytes, place: str) -> Any:
  r"""What JSON text holds.

  Args:
    data: the text; a byte-order mark is harmless.
    place: where it stands, for messages.

  Raises:
    InputError: it is not UTF-8 or not JSON, nested too deep for its reader, a
      number in it has too many digits, or a `\ud...` stands for no character.
  """
  try:
    found = json.loads(data.decode("utf-8-sig"))
    if b"\\ud" in data.lower():
      json.dumps(found, ensure_ascii=False).encode()
  except UnicodeDecodeError as error:
    raise errors.InputError(
      f"{place}: not UTF-8 at byte {error.start}; save the file as UTF-8"
    ) from error
  except UnicodeEncodeError as error:
    raise errors.InputError(
      f"{place}: {error.object[error.start]!a} is half of a character;"
      " expected both halves, or none"
    ) from error
  except json.JSONDecodeError as error:
    whole = b"\n" in data.strip()
    line = f"line {error.lineno}, " if whole else ""
    raise errors.InputError(
      f"{place}: not JSON at {line}column {error.colno} ({error.msg})"
    ) from error
  except RecursionError as error:
    raise errors.InputError(
      f"{place}: JSON nested too deep; expected a few levels"
    ) from error
  except ValueError as error:  # Python's own bound against slow conversions.
    raise errors.InputError(
      f"{place}: a number has too many digits; write it as text"
    ) from error
  return found
