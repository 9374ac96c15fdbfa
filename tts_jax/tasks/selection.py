"""The questions that a run is about: a task's, or a file's, or some of them."""

import random

from tts_jax import errors, storage
from tts_jax.tasks import base, catalogue, jsonl, training

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
  name: str,
  *,
  count: int,
  seed: int,
  path: str = "",
  fields: jsonl.Fields,
  split: str = "",
  held_out: float = 0.0,
) -> tuple[base.Task, list[base.Question]]:
  """Finds a task and the questions to answer.

  Args:
    name: of a task of the catalogue, or "jsonl".
    count: how many questions; 0 takes all.
    seed: draws them.
    path: of the file, for "jsonl".
    fields: names of its fields.
    split: of a file, "train" without its part that is held out, "validation"
      that part; another name is all of it.
    held_out: the share of a file that is held out, from 0, which makes no
      parts, to below 1. By a hash of a question's id, so that a question's part
      depends on no other.

  Returns:
    (task, questions in the order of their source).

  Raises:
    InputError: there is no such task or file, or it has fewer questions; a
      share is out of its range.
  """
  of_questions = task(name)
  if name == FILE_TASK:
    questions = jsonl.read_questions(storage.at(path), fields)
    questions = _part(questions, split, held_out)
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


def _part(
  questions: list[base.Question], split: str, held_out: float
) -> list[base.Question]:
  if not 0 <= held_out < 1:
    raise errors.InputError(
      f"config.questions.held_out is {held_out}; it must be at least 0, which"
      " makes no parts, and below 1"
    )
  if not held_out or split not in training.SPLITS:
    return questions
  first = split == training.SPLITS[0]
  return [one for one in questions if (one.uid >= held_out * 2**32) == first]
