"""The questions that a run is about: a task's, or a file's, or some of them."""

import pathlib
import random

from tts_jax import errors
from tts_jax.tasks import base, catalogue, jsonl

# The task of a file of questions and answers.
FILE_TASK = "jsonl"


def task(name: str) -> base.Task:
  """The task called `name`: one of the catalogue, or "jsonl".

  Raises:
    InputError: there is none.
  """
  if name == FILE_TASK:
    return jsonl.JsonlTask()
  if name in catalogue.TASKS:
    return catalogue.find(name).task
  names = ", ".join([*sorted(catalogue.TASKS), FILE_TASK])
  raise errors.InputError(f"config.task {name!r}: must be one of {names}")


def select(
  name: str, *, count: int, seed: int, path: str = "", fields: jsonl.Fields
) -> tuple[base.Task, list[base.Question]]:
  """Finds a task and the questions to answer.

  Args:
    name: of a task of the catalogue, or "jsonl".
    count: how many questions; 0 takes all.
    seed: draws them.
    path: of the file, for "jsonl".
    fields: names of its fields.

  Returns:
    (task, questions in the order of their source).

  Raises:
    InputError: there is no such task or file, or it has fewer questions.
  """
  of_questions = task(name)
  if name == FILE_TASK:
    questions = jsonl.read_questions(pathlib.Path(path), fields)
  else:
    questions = catalogue.find(name).reporting()
  if not 0 <= count <= len(questions):
    raise errors.InputError(
      f"config.questions.count is {count}; it must be from 0, which takes all,"
      f" to {len(questions)}"
    )
  if count:
    drawn = random.Random(seed).sample(range(len(questions)), count)
    questions = [questions[index] for index in sorted(drawn)]
  return of_questions, questions
