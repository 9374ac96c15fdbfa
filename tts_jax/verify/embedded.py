"""The verifier that ships in the package."""

import pathlib

from tts_jax import errors
from tts_jax.model import embedded

# It reads the states of the model beside it.
FOLDER = embedded.FOLDER.parent / "verifier"


def folder(path: str, model: pathlib.Path) -> pathlib.Path:
  """The folder at `path`, or where that is empty, the package's.

  Args:
    path: as the config has it.
    model: folder of the generator.

  Raises:
    InputError: `path` is empty and the generator is not the package's.
  """
  if not path and model != embedded.FOLDER:
    raise errors.InputError(
      "config.verifier is empty, which is the one of the embedded model; give a"
      f" folder with a verifier for {model}, or 'none' for a pool alone"
    )
  return pathlib.Path(path) if path else FOLDER
