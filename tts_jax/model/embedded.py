"""The models that ship in the package."""

import pathlib

from tts_jax import errors, storage

# A Hugging Face folder: weights, config, tokenizer, and a card on their making.
FOLDER = pathlib.Path(__file__).parent.parent / "assets" / "model"
# The same model, taught to revise its answers.
REVISION = FOLDER.parent / "revision"
# Beside a revision model, how it and others trained otherwise go on.
MODELS = "models.json"
# The task that they were trained for.
TASK = "gsm_symbolic"


def folder(
  path: str,
  task: str,
  default: pathlib.Path = FOLDER,
  key: str = "config.model",
) -> pathlib.Path:
  """The folder at `path`, or where that is empty, the package's.

  Args:
    path: as the config has it.
    task: name of the task to answer.
    default: the package's.
    key: of `path` in the config.

  Raises:
    InputError: `path` is empty and the task is not the embedded model's.
  """
  if not path and task != TASK:
    raise errors.InputError(
      f"{key} is empty, which is the model of {TASK}; give a folder with a"
      f" model for {task}"
    )
  return storage.fetched(path) if path else default
