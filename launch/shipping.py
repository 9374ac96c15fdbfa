"""What the package ships of the main experiment, for runs of its config."""

from typing import Any

import ml_collections

from configs import reproduce
from launch import drawing
from tts_jax import errors
from tts_jax.decode import pools
from tts_jax.model import embedded
from tts_jax.store import packed, run
from tts_jax.tasks import base
from tts_jax.verify import saved

FOLDER = embedded.FOLDER.parent / "run"
# Searches of at most so many generations are not shipped.
LIVE = 2


def find(
  config: ml_collections.ConfigDict, folder: str = ""
) -> tuple[packed.Packed | None, str]:
  """What `launch.pack_run` packed of this config's run.

  Args:
    config: of the run.
    folder: of the packed run; empty is the package's.

  Returns:
    It, or None where it is of another config; and what is to be said of it.
  """
  found = packed.load(folder or FOLDER)
  default = reproduce.get_config().to_dict()
  if other := found.differences(config.to_dict(), default):
    why = f"what ships is of another config: {other[0]}"
    return None, f"all is drawn anew, as {why}"
  told = ", ".join(found.stages)
  said = f"shipped, of commit {found.commit[:7]}: {told}"
  return found, f"{said}; --full draws all anew"


def use(
  shipped: packed.Packed,
  folder: run.Run,
  questions: list[base.Question],
  made: drawing.Models,
) -> None:
  """Makes a run's stages begin as they were shipped.

  Raises:
    InputError: other models or questions drew them.
  """
  here = made_for(questions, made)
  for name, value in shipped.made_for.items():
    if here.get(name) != value:
      raise errors.InputError(
        f"{shipped.folder}: drawn with another config.{name}, or on other"
        " questions; draw it anew with --full, and pack it with launch.pack_run"
      )
  shipped.begin(folder)
  folder.source = shipped


def told(shipped: packed.Packed | None) -> dict[str, Any]:
  """`shipped` of a run's summary; {} where all was drawn in it."""
  if shipped is None:
    return {}
  return {"commit": shipped.commit, "stages": list(shipped.stages)}


def made_for(
  questions: list[base.Question], made: drawing.Models
) -> dict[str, str]:
  """Hashes of the questions and of what draws, by its key in the config."""
  generators, judges = {"model": made.model}, {"verifier": made.judge}
  if made.reviser is not None:
    generators["revision.model"] = made.reviser.model
    judges["revision.verifier"] = made.reviser.judge
    judges["revision.other"] = made.reviser.other
  return {
    name: pools.inputs_hash(questions, one.folder)
    for name, one in generators.items()
  } | {
    name: saved.content_hash(one.folder)
    for name, one in judges.items()
    if one is not None
  }
