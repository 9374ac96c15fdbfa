"""How a config puts its questions to the model."""

import pathlib

import ml_collections

from tts_jax.model import embedded
from tts_jax.tasks import base, prompting


def form(config: ml_collections.ConfigDict, task: base.Task) -> base.Task:
  """The task with the prompts of `config.prompt`.

  Raises:
    InputError: a key is out of its range; the model has no chat template;
      there are too few examples.
  """
  # Runs of before have no such section: their prompts are the task's own.
  wanted = prompting.Form(**config.get("prompt", {}))
  folder = pathlib.Path()
  if wanted.format == prompting.CHAT:
    folder = embedded.folder(config.model, task.name)
  return wanted.apply(task, folder)


def put(
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
) -> tuple[base.Task, list[base.Question]]:
  """As `form`, with the questions, which are told what stands before them."""
  formed = form(config, task)
  return formed, prompting.mark(formed, questions)
