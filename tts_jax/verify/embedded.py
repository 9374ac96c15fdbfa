"""The verifiers that ship in the package."""

import pathlib

from tts_jax import errors
from tts_jax.model import embedded

# By the embedded model whose states each reads.
_OF_MODEL = {
  embedded.FOLDER: embedded.FOLDER.parent / "verifier",
  embedded.REVISION: embedded.FOLDER.parent / "revision_verifier",
}
FOLDER = _OF_MODEL[embedded.FOLDER]
# Of the revision model too, but reads an answer without its context.
ALONE = embedded.FOLDER.parent / "revision_verifier_alone"


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
  return pathlib.Path(path) if path else _OF_MODEL[model]
