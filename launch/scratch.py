"""Training all that the package ships: its launchers, one after another."""

import pathlib
from collections.abc import Sequence

import ml_collections

from configs import from_scratch
from launch import outlook, stages
from tts_jax import errors

STAGES = tuple(stages.Stage(**one) for one in from_scratch.STAGES)


def perform(
  folder: pathlib.Path,
  listed: Sequence[stages.Stage] = STAGES,
  share: float = 1,
) -> None:
  """Runs what has not ended yet, in turn.

  Args:
    folder: of the stages' folders.
    listed: the stages, in order.
    share: of each stage's questions and steps.

  Raises:
    InputError: a stage fails, or the share is not in (0, 1].
  """
  listed = _parts(listed, share)
  left = [one for one in enumerate(listed, 1) if not one[1].has_ended(folder)]
  minutes = sum(stage.minutes for _, stage in left)
  whole = (
    f"{len(left)} of {len(listed)} stages are left, about {minutes:.0f} min"
  )
  print(f"training: {whole} on two CPU cores, in {folder}", flush=True)
  for number, stage in left:
    about = f"launch.{stage.launcher}, about {stage.minutes:.0f} min"
    print(f"[{number}/{len(listed)}] {stage.name}: {about}", flush=True)
    stage.run(folder)


def forecast(folder: pathlib.Path, share: float = 1) -> outlook.Part:
  """What `perform` would do; an InputError as there."""
  listed = _parts(STAGES, share)
  minutes = sum(stage.minutes for stage in listed)
  done = sum(one.minutes for one in listed if one.has_ended(folder))
  return outlook.Part(
    name="training",
    size=f"{len(listed)} stages",
    tokens=None,
    seconds=60 * minutes,
    basis="stages as on two CPU cores",
    done=done / minutes,
  )


def _parts(
  listed: Sequence[stages.Stage], share: float
) -> Sequence[stages.Stage]:
  if not 0 < share <= 1:
    raise errors.InputError(
      f"training_share is {share}; it must be above 0 and at most 1"
    )
  return [one.part(share) for one in listed] if share < 1 else listed


def settle(config: ml_collections.ConfigDict, folder: pathlib.Path) -> None:
  """Makes an experiment's config name what `perform` made in `folder`."""
  config.model = str(folder / "model" / "model")
  config.verifier = str(folder / "verifier" / "verifier")
  config.difficulty = str(folder / "difficulty")
  config.revision.model = str(folder / "revision" / "model")
  config.revision.verifier = str(folder / "judge" / "verifier")
  config.revision.other = str(folder / "judge_of_histories" / "verifier")
  config.exchange.pool = str(folder / "larger_answers")
