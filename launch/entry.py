"""What every launcher starts with: flags read, faults said in one line."""

import difflib
import pathlib
import re
import sys
from collections.abc import Callable, Iterator

import ml_collections
from absl import app, flags
from ml_collections import config_flags

from tts_jax import errors

flags.disclaim_key_flags()  # So that --help counts them as the launcher's own.
_ROOT = pathlib.Path(__file__).parent.parent
_default_config: list[str] = []


def config_flag(default: str) -> flags.FlagHolder:
  """Defines `--config`, with a default file relative to the project's root."""
  # Known to the flag itself, it would be read at import, faults and all.
  _default_config[:] = [str(_ROOT / default)]
  return config_flags.DEFINE_config_file(
    "config", help_string=f"Python file with get_config(). Default: {default}"
  )


def run(main: Callable[[list[str]], None]) -> None:
  """Parses flags and calls `main`; bad input ends it with status 2."""
  try:
    app.run(main, flags_parser=_parse)
  except errors.InputError as error:
    name = pathlib.Path(sys.argv[0]).stem
    print(f"{name}:", *str(error).split(), file=sys.stderr)
    sys.exit(2)
  except KeyboardInterrupt:
    print("interrupted; what was written stays", file=sys.stderr)
    sys.exit(130)


def _parse(argv: list[str]) -> list[str]:
  if _default_config:
    given = [i for i, a in enumerate(argv) if re.match(r"--?config(=|$)", a)]
    if not given:
      argv = [argv[0], f"--config={_default_config[0]}", *argv[1:]]
    last = given[-1] if given else 1
    following = "".join(argv[last + 1 : last + 2])
    _check(argv[last].partition("=")[2] or following, argv)
  try:
    rest = flags.FLAGS(argv)
  except flags.Error as error:
    raise errors.InputError(str(error)) from error
  if len(rest) > 1:
    raise errors.InputError(f"unexpected argument {rest[1]!r}; flags have --")
  return rest


def _check(path: str, argv: list[str]) -> None:
  """Checks the config file and the keys that `argv` overrides."""
  file = pathlib.Path(path)
  python = file.suffix == ".py" and file.is_file()
  if not python or "get_config" not in file.read_text("utf-8"):
    raise errors.InputError(f"--config={path}: no file with get_config()")
  try:
    config = flags.FLAGS["config"].parser.parse(path)
  except SyntaxError as error:
    raise errors.InputError(
      f"{path}, line {error.lineno}: {error.msg}"
    ) from error
  keys = list(_keys(config, ""))
  for argument in argv:
    match = re.match(r"--?(?:no)?config\.([^=]+)", argument)
    if match and match[1] not in keys:
      near = difflib.get_close_matches(match[1], keys)
      last = match[1].split(".")[-1]
      near += [k for k in keys if k.split(".")[-1] == last and k not in near]
      some = ", ".join(near or [key for key in keys if "." not in key])
      raise errors.InputError(
        f"--config.{match[1]}: no such key in {path}; perhaps {some}"
      )


def _keys(config: ml_collections.ConfigDict, outer: str) -> Iterator[str]:
  """Yields "outer.inner" for every key, also of inner nodes."""
  for key, value in config.items(preserve_field_references=True):
    yield outer + key
    if isinstance(value, ml_collections.ConfigDict):
      yield from _keys(value, f"{outer}{key}.")
