"""What every launcher starts with: flags read, faults said in one line."""

import functools
import io
import pathlib
import re
import sys
import traceback
from collections.abc import Callable
from typing import cast

from absl import app, flags
from ml_collections import config_flags

from launch import config_file, config_help, faults, processes, stopping
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


def run(
  main: Callable[[list[str]], None], *, words: bool = False, hosts: bool = False
) -> None:
  """Parses flags and calls `main`, which may take `words` behind them.

  Bad input and a full disk are said in one line and end it with status 2. Where
  `hosts` is true, several processes may do it together.
  """
  name = pathlib.Path(sys.argv[0]).stem
  stopping.listen()
  # A log file shows what is done as it is done, too.
  cast(io.TextIOWrapper, sys.stdout).reconfigure(line_buffering=True)

  def joined(argv: list[str]) -> None:
    with processes.joining(hosts):
      main(argv)

  try:
    app.run(joined, flags_parser=functools.partial(_parse, words=words))
  except errors.InputError as error:
    stopping.refuse(f"{name}: {' '.join(str(error).split())}")
  except KeyboardInterrupt:
    stopping.leave(130, "interrupted; what was written stays")
  except stopping.Terminated:
    said = "what was written stays; the same command goes on"
    stopping.leave(143, f"terminated; {said}")
  except Exception as error:
    if full := faults.of_disk(error):
      stopping.refuse(f"{name}: {full}")
    if processes.joined():  # Where the end of Python waits for all of them.
      stopping.leave(1, traceback.format_exc())
    raise


def _parse(argv: list[str], *, words: bool) -> list[str]:
  if _default_config:
    default = _default_config[0]
    given = [i for i, a in enumerate(argv) if re.match(r"--?config(=|$)", a)]
    if not given:
      argv = [argv[0], f"--config={default}", *argv[1:]]
    last = given[-1] if given else 1
    following = "".join(argv[last + 1 : last + 2])
    path = argv[last].partition("=")[2] or following
    config = config_file.read(path)
    if given:
      config_file.check_keys(path, config, config_file.read(default))
    config_file.check_flags(path, config, argv)
  try:
    rest = flags.FLAGS(argv)
  except flags.Error as error:
    raise errors.InputError(str(error)) from error
  except SystemExit:  # By a flag that has shown help.
    if _default_config and "--helpxml" not in argv:
      print(config_help.text(path, config))
    raise
  if len(rest) > 1 and not words:
    raise errors.InputError(f"unexpected argument {rest[1]!r}; flags have --")
  return rest
