"""Prompts of other forms than a task's own: a chat, solved examples first."""

import dataclasses
import datetime
import hashlib
import itertools
import pathlib
import re
from collections.abc import Sequence

from tts_jax import errors, storage
from tts_jax.tasks import base, chat, jsonl, stopping

PLAIN, CHAT, FEW_SHOT = "plain", "chat", "few_shot"
FORMATS = (PLAIN, CHAT, FEW_SHOT)

_QUESTION = "{question}"
# Stands between solved examples, and nowhere in them.
_BETWEEN = "\n\n"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prompted:
  """A task whose prompts are of another form; all else is the task's own.

  Attributes:
    task: whose questions these are.
    template: with `{question}`; empty is the task's own prompt.
    before: the solved examples that each prompt begins with.
    template_of_chat: the model's; None: it is no chat.
    system: of a chat.
    stop: strings with which a model goes on behind its answer.
    delimiter: what ends a step; empty is the task's own.
  """

  task: base.Task
  template: str = ""
  before: str = ""
  template_of_chat: chat.ChatTemplate | None = None
  system: str = ""
  stop: tuple[str, ...] = ()
  delimiter: str = ""

  @property
  def name(self) -> str:
    """The task's."""
    return self.task.name

  @property
  def step_delimiter(self) -> str:
    """What ends a reasoning step."""
    return self.delimiter or self.task.step_delimiter

  def prompt(self, question: base.Question) -> str:
    """The text that the model reads before it answers."""
    text = _asked(question, self.task, self.template)
    if self.template_of_chat is not None:
      return self.template_of_chat.prompt(text, self.system)
    return self.before + text

  def completion(self, question: base.Question) -> str:
    """The task's."""
    return self.task.completion(question)

  def extract(self, completion: str) -> str | None:
    """The answer stated before the model goes on with a question of its own."""
    return self.task.extract(stopping.before_stop(completion, self.stop))

  def canonical(self, answer: str) -> str | None:
    """The task's."""
    return self.task.canonical(answer)

  def grade_all(
    self, pairs: Sequence[tuple[str, str | None]]
  ) -> list[base.Verdict]:
    """The task's."""
    return self.task.grade_all(pairs)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
  """How a config forms prompts; fields are those of its section `prompt`.

  Attributes:
    format: "plain", "chat" or "few_shot".
    template: with `{question}`; empty is the task's own prompt, and of a chat
      the question alone.
    system: what the system says in a chat; empty: nothing.
    date: what a chat template is told that asks for today's, YYYY-MM-DD: a
      prompt must not change overnight.
    examples: path of solved examples, JSON lines: the first ones are taken.
    question: their field of the question.
    solution: their field of the solution, which states the answer.
    shots: how many of them; the paper's prompt has 4.
    delimiter: what ends a step; empty is the task's own.

  Raises:
    InputError: a field is out of its range, or of another format.
  """

  format: str = PLAIN
  template: str = ""
  system: str = ""
  date: str = "2024-07-26"
  examples: str = ""
  question: str = "question"
  solution: str = "solution"
  shots: int = 4
  delimiter: str = ""

  def __post_init__(self) -> None:
    faults = {
      f"format {self.format!r}: must be one of {', '.join(FORMATS)}": (
        self.format not in FORMATS
      ),
      f"template {self.template!r} must contain {_QUESTION}": (
        self.template and _QUESTION not in self.template
      ),
      f"system is for the format {CHAT!r}; this is {self.format!r}": (
        self.system and self.format != CHAT
      ),
      f"examples is for the format {FEW_SHOT!r}; this is {self.format!r}": (
        self.examples and self.format != FEW_SHOT
      ),
      f"examples is empty; {FEW_SHOT!r} needs a file of solved examples": (
        not self.examples and self.format == FEW_SHOT
      ),
      f"shots is {self.shots}; it must be at least 1": self.shots < 1,
    }
    for fault, found in faults.items():
      if found:
        raise errors.InputError(f"config.prompt.{fault}")

  def apply(self, task: base.Task, folder: pathlib.Path) -> base.Task:
    """The task with prompts of this form; itself where nothing is changed.

    Args:
      task: to be asked.
      folder: of the model, which has the template of a chat.

    Raises:
      InputError: the folder has no usable template; the date is none; the file
        of examples has too few, or none that states its answer.
    """
    if self.format == CHAT:
      template = chat.load(folder, _date(self.date))
      return Prompted(
        task=task,
        template=self.template or _QUESTION,
        template_of_chat=template,
        system=self.system,
        delimiter=self.delimiter,
      )
    if self.format == FEW_SHOT:
      shown, blank = self._solved(), base.Question("", _QUESTION, "")
      solved = [
        _asked(one, task, self.template) + _without_blank_lines(one.solution)
        for one in shown
      ]
      lead = _asked(blank, task, self.template).partition(_QUESTION)[0]
      return Prompted(
        task=task,
        template=self.template,
        before="".join(one + _BETWEEN for one in solved),
        # As the next example would begin.
        stop=(_BETWEEN + lead.strip(),),
        delimiter=self.delimiter,
      )
    if not self.template and not self.delimiter:
      return task
    return Prompted(task=task, template=self.template, delimiter=self.delimiter)

  def _solved(self) -> list[base.Question]:
    """The examples, the first of their file."""
    path = storage.at(self.examples)
    fields = jsonl.Fields(
      question=self.question, answer=None, solution=self.solution
    )
    records = itertools.islice(jsonl.read_records(path, fields), self.shots)
    found = [question for question, _, _ in records]
    if len(found) < self.shots:
      raise errors.InputError(
        f"{path}: has {len(found)} solved examples; config.prompt.shots is"
        f" {self.shots}"
      )
    return found


def is_chat(task: base.Task) -> bool:
  """Whether a chat template writes the task's prompts."""
  return isinstance(task, Prompted) and task.template_of_chat is not None


def mark(
  task: base.Task, questions: Sequence[base.Question]
) -> list[base.Question]:
  """Questions that know which examples stand before them.

  What is drawn with other examples is another run's, though the path of their
  file is the same.

  Raises:
    InputError: a question is one of the examples.
  """
  if not isinstance(task, Prompted) or not task.before:
    return list(questions)
  for question in questions:
    if _asked(question, task.task, task.template) in task.before:
      raise errors.InputError(
        f"question {question.id!r} is among the solved examples of its own"
        " prompt; take examples of another file"
      )
  digest = hashlib.sha256(task.before.encode()).hexdigest()[:16]
  return [
    dataclasses.replace(one, meta={**one.meta, "examples": digest})
    for one in questions
  ]


def _asked(question: base.Question, task: base.Task, template: str) -> str:
  """The question in the template; an empty one is the task's own prompt."""
  if not template:
    return task.prompt(question)
  return template.replace(_QUESTION, question.text)


def _without_blank_lines(solution: str) -> str:
  return re.sub(r"\n\s*\n", "\n", solution.strip())


def _date(text: str) -> datetime.date:
  try:
    return datetime.date.fromisoformat(text)
  except ValueError as error:
    raise errors.InputError(
      f"config.prompt.date {text!r}: must be a day, as 2024-07-26"
    ) from error
