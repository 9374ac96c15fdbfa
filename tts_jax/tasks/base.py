"""What a task is: questions, prompts, answers and verdicts, on the host."""

import dataclasses
import enum
import fractions
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

ANSWER_MARK = "####"
# Fields of questions, as MATH has them, by which results are told apart.
SLICES = ("level", "subject")

_ANSWER_LINE = re.compile(rf"^{ANSWER_MARK}[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_UNSIGNED = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+"
_NUMBER = re.compile(
  rf"(?P<sign>[-+]?)\\?\$?(?P<inner>[-+]?)"
  rf"(?P<top>{_UNSIGNED})(?:/(?P<bottom>{_UNSIGNED}))?(?:\\?%)?\.?"
)
# Beyond this an answer is babble; the bound keeps exact arithmetic cheap.
_MAX_NUMBER_LENGTH = 64


class Verdict(enum.Enum):
  """The outcome of grading one answer.

  `UNGRADABLE`: there is no answer, it could not be read, or the comparison was
  cut off at its deadline. It earns nothing, and is counted apart from `WRONG`.
  """

  CORRECT = "correct"
  WRONG = "wrong"
  UNGRADABLE = "ungradable"


@dataclasses.dataclass(frozen=True)
class Question:
  """One question of a task.

  Attributes:
    id: stable across runs and machines, unique within a task.
    text: the question itself, without any prompt around it.
    answer: the reference answer.
    solution: worked steps, for training; empty where there are none.
    meta: whatever else the source states (subject, level, template).
  """

  id: str
  text: str
  answer: str
  solution: str = ""
  meta: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)

  @property
  def uid(self) -> int:
    """A 32-bit unsigned integer of the id, which seeds its randomness."""
    digest = hashlib.blake2b(self.id.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little")


class Task(Protocol):
  """All that the other floors know of a task."""

  @property
  def name(self) -> str:
    """The task's name, for file names and figures."""
    ...

  @property
  def step_delimiter(self) -> str:
    """What ends a reasoning step inside a completion."""
    ...

  def prompt(self, question: Question) -> str:
    """The text that the model reads before it answers."""
    ...

  def completion(self, question: Question) -> str:
    """The training target: the worked steps, then the answer, no end token."""
    ...

  def extract(self, completion: str) -> str | None:
    """The answer that a completion states, None where it states none."""
    ...

  def canonical(self, answer: str) -> str | None:
    """The group in which an answer votes, None where it cannot be read.

    Two answers vote together if these strings are equal, so the relation is
    symmetric and transitive and depends on no order, clock or load.
    """
    ...

  def grade_all(self, pairs: Sequence[tuple[str, str | None]]) -> list[Verdict]:
    """Judges pairs of (reference answer, extracted answer or None)."""
    ...


def canonical_all(
  task: Task, answers: Sequence[str | None]
) -> list[str | None]:
  """The groups in which answers vote; None where there is no answer."""
  return [
    None if answer is None else task.canonical(answer) for answer in answers
  ]


def group(question: Question) -> str:
  """Whether its kind was met in training: "trained", "held out" or "all"."""
  if "held_out" not in question.meta:
    return "all"
  return "held out" if question.meta["held_out"] else "trained"


def marked_answer(completion: str) -> str | None:
  """Returns what stands after `####` on the last line that has it."""
  found = _ANSWER_LINE.findall(completion)
  return found[-1] if found else None


def parse_number(text: str) -> fractions.Fraction | None:
  """Reads a plain number exactly, None where the text is anything else.

  Understands a sign, a dollar sign, thousands separators, decimals, a quotient
  of two of these, and a percent sign or full stop at the end, both dropped.
  """
  text = text.strip().replace("\N{MINUS SIGN}", "-")
  # str.isascii: `\d` and `Fraction` would read digits of other scripts.
  if len(text) > _MAX_NUMBER_LENGTH or not text.isascii():
    return None
  match = _NUMBER.fullmatch(text)
  if match is None or (match["sign"] and match["inner"]):
    return None
  value = fractions.Fraction(match["top"].replace(",", ""))
  if match["bottom"] is not None:
    bottom = fractions.Fraction(match["bottom"].replace(",", ""))
    if not bottom:
      return None
    value /= bottom
  return -value if "-" in (match["sign"], match["inner"]) else value


class NumericAnswers:
  """Answers that are plain numbers after `####`.

  Base of tasks whose answers need no algebra: equality is that of exact
  fractions, so grading is immediate and needs no child process.
  """

  def extract(self, completion: str) -> str | None:
    """The last `####` line's text, None where there is none."""
    return marked_answer(completion)

  def canonical(self, answer: str) -> str | None:
    """The number in lowest terms: "96.0" is "96" and "0.5" is "1/2"."""
    value = parse_number(answer)
    return None if value is None else str(value)

  def grade_all(self, pairs: Sequence[tuple[str, str | None]]) -> list[Verdict]:
    """Judges pairs of (reference answer, extracted answer or None).

    Raises:
      ValueError: a reference answer is not a number.
    """
    return [self._grade(gold, answer) for gold, answer in pairs]

  def _grade(self, gold: str, answer: str | None) -> Verdict:
    reference = self.canonical(gold)
    if reference is None:
      raise ValueError(f"the reference answer {gold!r} is not a number")
    given = None if answer is None else self.canonical(answer)
    if given is None:
      return Verdict.UNGRADABLE
    return Verdict.CORRECT if given == reference else Verdict.WRONG


# From a question and a completion to a verdict a step.
JudgeSteps = Callable[[Question, str], list[bool]]


def first_wrong(verdicts: Sequence[bool]) -> int:
  """The index of the first wrong step, -1 where every one is correct."""
  return list(verdicts).index(False) if False in verdicts else -1
