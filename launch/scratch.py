"""Training all that the package ships: its launchers, one after another.

What the models' cards tell is this list; a card says why. Each stage goes on
where it was, and one that has ended is not begun again.
"""

import dataclasses
import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Sequence

import ml_collections

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
    flags: after `--config.`; "{NAME}" is the folder of an earlier stage.
    config: name of the file in `configs`; empty is the launcher's own.
  """

  name: str
  launcher: str
  minutes: float
  flags: tuple[str, ...] = ()
  config: str = ""

  def command(self, folder: pathlib.Path) -> list[str]:
    """What runs it, where all stages are in `folder`."""
    out = f"--out={folder / self.name}"
    command = [sys.executable, "-m", f"launch.{self.launcher}", out]
    if self.config:
      command.append(f"--config={_ROOT / 'configs' / self.config}.py")
    for flag in self.flags:
      place = re.sub(r"{(\w+)}", rf"{folder}/\1", flag)
      command.append(f"--config.{place}")
    return command


_MODEL = "model={model}/model"
_HELD_OUT = ("questions.split=validation", "questions.count=300")
# Of many questions, few samples each.
_FEW = ("room=1", "engine.batch=250")
_MORE = (
  "questions.count=50000",
  "samples=5",
  "engine.groups=57",
  "engine.rows=5",
  *_FEW,
)
_REVISIONS = "train_revision_verifier"
_JUDGE = (
  "model={revision}/model",
  "labels={its_chains}",
  "held_out={its_chains_held_out}",
  "start={verifier}/verifier",
  "backbone={model}/model",
)


def _further(
  start: str,
  data: str,
  rate: float,
  steps: int,
  held_out: str = "held_out_8",
) -> tuple[str, ...]:
  """Flags of `train_revision`, trained on from another stage's."""
  return (
    f"start={{{start}}}/model",
    f"trajectories={{{data}}}",
    f"held_out={{{held_out}}}",
    f"optimizer.learning_rate={rate}",
    "optimizer.warmup=30",
    f"schedule.steps={steps}",
    "schedule.patience=8",
  )


def _chains(model: str, seed: int, split: str) -> tuple[str, ...]:
  """Flags of `revise`, on new questions."""
  count, chains = (8000, 2) if split == "train" else (200, 4)
  return (
    f"model={{{model}}}/model",
    f"questions.split={split}",
    f"questions.count={count}",
    f"chains={chains}",
    f"seed={seed}",
  )


STAGES = (
  Stage("model", "train_lm", 17),
  # The verifier.
  Stage(
    "labels",
    "label_steps",
    8,
    (
      _MODEL,
      "questions.count=8000",
      "samples=8",
      "rollouts=0",
      "engine.groups=48",
      "engine.rows=8",
    ),
  ),
  Stage(
    "labels_held_out",
    "label_steps",
    1,
    (
      _MODEL,
      "questions.split=validation",
      "questions.count=150",
      "samples=32",
      "rollouts=0",
    ),
  ),
  Stage(
    "verifier",
    "train_verifier",
    100,
    (_MODEL, "labels={labels}", "held_out={labels_held_out}"),
  ),
  # The difficulty head, and a revision model of the same samples.
  Stage("revisions", "build_revisions", 15, (_MODEL,)),
  Stage("revisions_held_out", "build_revisions", 2, (_MODEL, *_HELD_OUT)),
  Stage(
    "difficulty",
    "train_difficulty",
    1,
    (_MODEL, "pools=('{revisions}',)", "held_out={revisions_held_out}"),
  ),
  Stage(
    "first",
    "train_revision",
    35,
    (
      _MODEL,
      "trajectories={revisions}",
      "held_out={revisions_held_out}",
      "data.first_drawn=False",
    ),
  ),
  Stage(
    "revisions_8",
    "build_revisions",
    1,
    (_MODEL, "source={revisions}", "room=8"),
  ),
  Stage(
    "held_out_8",
    "build_revisions",
    1,
    (_MODEL, "source={revisions_held_out}", "room=8", *_HELD_OUT),
  ),
  Stage(
    "second",
    "train_revision",
    13,
    (_MODEL, *_further("first", "revisions_8", 6e-4, 800)),
  ),
  # Revision models of more and more questions.
  Stage(
    "many",
    "build_revisions",
    12,
    (
      _MODEL,
      "questions.count=30000",
      "samples=6",
      "engine.groups=48",
      "engine.rows=6",
      *_FEW,
    ),
  ),
  Stage(
    "third",
    "train_revision",
    13,
    (_MODEL, *_further("second", "many", 1e-3, 800)),
  ),
  Stage("more", "build_revisions", 16, (_MODEL, "seed=11", *_MORE)),
  Stage(
    "fourth",
    "train_revision",
    22,
    (_MODEL, *_further("third", "more", 1e-3, 1400)),
  ),
  Stage("still_more", "build_revisions", 16, (_MODEL, "seed=12", *_MORE)),
  Stage(
    "fifth",
    "train_revision",
    22,
    (_MODEL, *_further("fourth", "still_more", 1e-3, 1400)),
  ),
  # Trained on its own chains.
  Stage("chains", "revise", 10, _chains("fourth", 14, "train")),
  Stage("chains_held_out", "revise", 1, _chains("fourth", 14, "validation")),
  Stage("own", "build_revisions", 1, ("source={chains}",)),
  Stage("own_held_out", "build_revisions", 1, ("source={chains_held_out}",)),
  Stage(
    "revision",
    "train_revision",
    5,
    (
      "model={fourth}/model",
      *_further("fifth", "own", 6e-4, 300, held_out="own_held_out"),
    ),
  ),
  # Its verifiers.
  Stage("its_chains", "revise", 10, _chains("revision", 15, "train")),
  Stage(
    "its_chains_held_out", "revise", 1, _chains("revision", 15, "validation")
  ),
  Stage(
    "judge", "train_verifier", 20, _JUDGE, config="train_revision_verifier"
  ),
  Stage(
    "judge_of_histories",
    "train_verifier",
    23,
    (
      *_JUDGE,
      "history=True",
      "mixture.samples=2",
      "schedule.steps=1500",
      "schedule.validate_every=250",
    ),
    _REVISIONS,
  ),
  # The model 14 times larger.
  Stage("larger", "train_lm", 50, config="train_larger"),
  Stage(
    "larger_answers",
    "sample",
    2,
    (
      "model={larger}/model",
      "questions.count=0",
      "samples=1",
      "sampler.temperature=0.0",
    ),
  ),
)


def perform(folder: pathlib.Path, stages: Sequence[Stage] = STAGES) -> None:
  """Runs the stages that have not ended yet, in turn.

  Args:
    folder: of all of them.
    stages: each after those that it reads.

  Raises:
    InputError: a stage failed; what it said is above.
  """
  numbered = list(enumerate(stages, 1))
  left = [one for one in numbered if not _has_ended(one[1], folder)]
  needed = _hours(sum(stage.minutes for _, stage in left))
  print(
    f"training: {len(left)} of {len(stages)} stages are left, about {needed} on"
    f" two CPU cores, in {folder}",
    flush=True,
  )
  for number, stage in left:
    about = _hours(stage.minutes)
    print(
      f"[{number}/{len(stages)}] {stage.name}: launch.{stage.launcher}, about"
      f" {about}",
      flush=True,
    )
    status = subprocess.run(stage.command(folder), check=False).returncode
    if status:
      raise errors.InputError(
        f"stage {stage.name!r} ended with status {status}; start again with the"
        " same flags once what it says above is mended"
      )
    atomic.write_json(folder / stage.name / _ENDED, list(stage.flags))


def settle(config: ml_collections.ConfigDict, folder: pathlib.Path) -> None:
  """Makes an experiment's config name what `perform` made in `folder`."""
  config.model = str(folder / "model" / "model")
  config.verifier = str(folder / "verifier" / "verifier")
  config.difficulty = str(folder / "difficulty" / "difficulty")
  config.revision.model = str(folder / "revision" / "model")
  for key, name in (("verifier", "judge"), ("other", "judge_of_histories")):
    config.revision[key] = str(folder / name / "verifier")
  config.exchange.pool = str(folder / "larger_answers")


def _has_ended(stage: Stage, folder: pathlib.Path) -> bool:
  path = folder / stage.name / _ENDED
  return path.is_file() and json.loads(path.read_text()) == list(stage.flags)


def _hours(minutes: float) -> str:
  hours, rest = divmod(round(minutes), 60)
  return f"{hours} h {rest} min" if hours else f"{rest} min"
