"""A launcher's run as a stage of a longer one."""

import dataclasses
import importlib
import json
import math
import pathlib
import re
import sys
from collections.abc import Mapping
from typing import Any

import ml_collections

from launch import stopping
from tts_jax import errors
from tts_jax.store import atomic

_ROOT = pathlib.Path(__file__).parent.parent
# What a share of a training is a share of.
_SIZES = ("questions.count", "optimizer.warmup", "schedule.steps")
_FEWEST = 60  # questions
# In a stage's folder, once it has ended: the flags that it ran with.
_ENDED = "ended.json"


@dataclasses.dataclass(frozen=True)
class Stage:
  """A launcher's run.

  Attributes:
    name: of its folder, among those of the others.
    launcher: a module of `launch`.
    minutes: it takes about so many on two CPU cores.
    flags: keys of its config; "{NAME}" is the folder of an earlier stage.
    config: a file in `configs`.
    least: the share of it below which the stages after it have nothing to do.
  """

  name: str
  launcher: str
  minutes: float
  flags: Mapping[str, Any]
  config: str
  least: float = 0

  def command(self, folder: pathlib.Path) -> list[str]:
    """What runs it, where all stages are in `folder`."""
    command = [sys.executable, "-m", f"launch.{self.launcher}"]
    command.append(f"--out={folder / self.name}")
    command.append(f"--config={_ROOT / 'configs' / self.config}.py")
    for key, value in self.flags.items():
      place = re.sub(r"{(\w+)}", rf"{folder}/\1", str(value))
      command.append(f"--config.{key}={place}")
    return command

  def read(self) -> ml_collections.ConfigDict:
    """Its config, before its flags."""
    return importlib.import_module(f"configs.{self.config}").get_config()

  def part(self, share: float) -> "Stage":
    """It, with a share of its questions and of its steps."""
    share = max(share, self.least)
    given = self.read().to_dict() | self.flags
    flags = dict(self.flags)
    for key in _SIZES:
      outer, _, name = key.partition(".")
      whole = given.get(key, given.get(outer, {}).get(name, 0))
      if whole:  # Of questions, 0 is all.
        least = _FEWEST if key == "questions.count" else 1
        flags[key] = max(math.ceil(whole * share), min(whole, least))
    minutes = self.minutes * share
    return dataclasses.replace(self, flags=flags, minutes=minutes)

  def has_ended(self, folder: pathlib.Path) -> bool:
    """Whether it ran to its end, with these flags."""
    path = folder / self.name / _ENDED
    return path.is_file() and json.loads(path.read_text()) == self.flags

  def run(self, folder: pathlib.Path) -> None:
    """Runs it to its end; an InputError where it fails."""
    if status := stopping.follow(self.command(folder)):
      raise errors.InputError(
        f"stage {self.name!r} ended with status {status}; start again with the"
        " same flags once what it says above is mended"
      )
    atomic.write_json(folder / self.name / _ENDED, self.flags)
