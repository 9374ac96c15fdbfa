"""Shapes of models that need not be there."""

import pathlib

from tts_jax import errors
from tts_jax.model import huggingface_config, transformer

_SHAPES = pathlib.Path(__file__).parent.parent / "configs" / "shapes"


def find(folder: pathlib.Path) -> pathlib.Path:
  """The config.json of a Hugging Face folder, or of a model of its name.

  Raises:
    InputError: it is neither there nor known.
  """
  known = _SHAPES / f"{folder.name}.json"
  for path in (folder / "config.json", known):
    if path.is_file():
      return path
  names = ", ".join(sorted(path.stem for path in _SHAPES.iterdir()))
  raise errors.InputError(
    f"{folder}: no such folder, and no shape of that name is known; known are"
    f" {names}"
  )


def model(folder: pathlib.Path, dtype: str) -> transformer.Transformer:
  """The model of a folder, or of its name; an empty dtype is float32."""
  return transformer.Transformer(
    huggingface_config.read(find(folder), dtype or "float32")
  )
