"""Tasks by name, and their endless training questions."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping

from tts_jax import errors
from tts_jax.tasks import arithmetic, base, gsm_symbolic, step_verdicts

Stream = Callable[[int], Iterator[tuple[int, base.Question]]]


def _gsm_symbolic(split: str, seed: int) -> Stream:
  return gsm_symbolic.Questions(split, seed).start


def _arithmetic(split: str, seed: int) -> Stream:
  task = arithmetic.Arithmetic()
  return lambda index: task.start(split, index, seed)


@dataclasses.dataclass(frozen=True)
class Entry:
  """A task whose questions the project makes.

  Attributes:
    task: prompts, answers and grading.
    stream: from (split, seed) to a function that, given the index of an item,
      yields (index, question) from there on without end.
    reporting: the questions to report on.
    step_is_correct: from a question and a completion to a verdict a step; None
      where the task cannot tell.
  """

  task: base.Task
  stream: Callable[[str, int], Stream]
  reporting: Callable[[], list[base.Question]]
  step_is_correct: base.JudgeSteps | None = None


def _arithmetic_reporting() -> list[base.Question]:
  stream = arithmetic.Arithmetic().start("test", 0, 0)
  return [question for _, question in itertools.islice(stream, 500)]


TASKS: Mapping[str, Entry] = {
  "arithmetic": Entry(
    arithmetic.Arithmetic(),
    _arithmetic,
    _arithmetic_reporting,
    arithmetic.step_is_correct,
  ),
  "gsm_symbolic": Entry(
    gsm_symbolic.GsmSymbolic(),
    _gsm_symbolic,
    gsm_symbolic.reporting_questions,
    step_verdicts.step_is_correct,
  ),
}


def find(name: str) -> Entry:
  """The task called `name`.

  Raises:
    InputError: there is none.
  """
  if name not in TASKS:
    raise errors.InputError(
      f"config.task {name!r}: must be one of {', '.join(sorted(TASKS))}"
    )
  return TASKS[name]


def step_judge(name: str) -> base.JudgeSteps | None:
  """What tells right steps from wrong in the task called `name`, if anything.

  A file's task, which is not of the catalogue, has none.
  """
  return TASKS[name].step_is_correct if name in TASKS else None
