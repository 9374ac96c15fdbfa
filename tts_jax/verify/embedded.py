"""The verifiers and the difficulty head that ship in the package."""

import pathlib

from tts_jax import errors, storage
from tts_jax.model import embedded

# By the embedded model whose states each reads.
_OF_MODEL = {
  embedded.FOLDER: embedded.FOLDER.parent / "verifier",
  embedded.REVISION: embedded.FOLDER.parent / "revision_verifier",
}
FOLDER = _OF_MODEL[embedded.FOLDER]
# Of the revision model too, for comparison: it reads an answer behind those in
# its context.
OTHER = embedded.FOLDER.parent / "revision_verifier_history"
# Reads the states of the embedded model.
DIFFICULTY = embedded.FOLDER.parent / "difficulty"
# A run of launch.sample: what a larger model answers to the test questions.
LARGER = embedded.FOLDER.parent / "larger"
# As the path of a folder: none is wanted.
NONE = "none"


def folder(
  path: str, model: pathlib.Path, key: str = "config.verifier"
) -> pathlib.Path:
  """The folder at `path`, or where that is empty, the package's.

  Args:
    path: as the config has it.
    model: folder of the generator.
    key: of `path` in the config.

  Raises:
    InputError: `path` is empty and the generator is not the package's.
  """
  if not path and model not in _OF_MODEL:
    raise errors.InputError(
      f"{key} is empty, which is the one of the embedded model; give a folder"
      f" with a verifier for {model}, or 'none' for a pool alone"
    )
  return storage.fetched(path) if path else _OF_MODEL[model]


def difficulty(path: str, model: pathlib.Path) -> pathlib.Path | None:
  """The folder of a difficulty head; None where there is none.

  Args:
    path: as the config has it: a folder; empty, which is the package's for the
      package's model and none for any other; or `NONE`.
    model: folder of the generator.
  """
  if path == NONE:
    return None
  if path:
    return storage.fetched(path)
  return DIFFICULTY if model == embedded.FOLDER else None


def larger(path: str, model: str) -> pathlib.Path | None:
  """The folder of a larger model's answers; None where there are none.

  Args:
    path: as the config has it: a folder; empty, which is the package's for the
      package's model and none for any other; or `NONE`.
    model: of the config, the path of the model that it is larger than.
  """
  if path == NONE:
    return None
  if path:
    return storage.at(path)
  return LARGER if not model and LARGER.is_dir() else None
