"""Training all that the package ships: its launchers, one after another."""

import dataclasses
import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import ml_collections

from configs import from_scratch
from tts_jax import errors
from tts_jax.store import atomic

_ROOT = pathlib.Path(__file__).parent.parent
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
    config: a file in `configs`; empty is the launcher's own.
  """

  name: str
  launcher: str
  minutes: float
  flags: Mapping[str, Any]
  config: str = ""

  def command(self, folder: pathlib.Path) -> list[str]:
    """What runs it, where all stages are in `folder`."""
    command = [sys.executable, "-m", f"launch.{self.launcher}"]
    command.append(f"--out={folder / self.name}")
    if self.config:
      command.append(f"--config={_ROOT / 'configs' / self.config}.py")
    for key, value in self.flags.items():
      place = re.sub(r"{(\w+)}", rf"{folder}/\1", str(value))
      command.append(f"--config.{key}={place}")
    return command

  def has_ended(self, folder: pathlib.Path) -> bool:
    """Whether it ran to its end, with these flags."""
    path = folder / self.name / _ENDED
    return path.is_file() and json.loads(path.read_text()) == self.flags


STAGES = tuple(Stage(**one) for one in from_scratch.STAGES)


def perform(folder: pathlib.Path, stages: Sequence[Stage] = STAGES) -> None:
  """Runs what has not ended yet, in turn; an InputError where one fails."""
  left = [one for one in enumerate(stages, 1) if not one[1].has_ended(folder)]
  minutes = sum(stage.minutes for _, stage in left)
  whole = (
    f"{len(left)} of {len(stages)} stages are left, about {minutes:.0f} min"
  )
  print(f"training: {whole} on two CPU cores, in {folder}", flush=True)
  for number, stage in left:
    about = f"launch.{stage.launcher}, about {stage.minutes:.0f} min"
    print(f"[{number}/{len(stages)}] {stage.name}: {about}", flush=True)
    status = subprocess.run(stage.command(folder), check=False).returncode
    if status:
      raise errors.InputError(
        f"stage {stage.name!r} ended with status {status}; start again with the"
        " same flags once what it says above is mended"
      )
    atomic.write_json(folder / stage.name / _ENDED, stage.flags)


def settle(config: ml_collections.ConfigDict, folder: pathlib.Path) -> None:
  """Makes an experiment's config name what `perform` made in `folder`."""
  config.model = str(folder / "model" / "model")
  config.verifier = str(folder / "verifier" / "verifier")
  config.difficulty = str(folder / "difficulty")
  config.revision.model = str(folder / "revision" / "model")
  config.revision.verifier = str(folder / "judge" / "verifier")
  config.revision.other = str(folder / "judge_of_histories" / "verifier")
  config.exchange.pool = str(folder / "larger_answers")
