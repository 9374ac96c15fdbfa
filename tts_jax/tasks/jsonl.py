"""Questions and answers from a file of JSON lines, as MATH and GSM8K are."""

import dataclasses
import hashlib
import math
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tts_jax import errors, json_input
from tts_jax.tasks import base, extraction, grading, normalize


@dataclasses.dataclass(frozen=True)
class Fields:
  """The names of a file's fields.

  Attributes:
    question: text of the question.
    answer: reference answer. None: it is taken from the end of the solution.
    solution: worked solution. None: there is none.
    id: id of the question. None: it is a digest of the question's text.
    graded: every line has its answer. False: where a line has none it is empty,
      as of questions that are asked to be solved.
  """

  question: str = "question"
  answer: str | None = "answer"
  solution: str | None = None
  id: str | None = None
  graded: bool = True

  def __post_init__(self) -> None:
    if self.answer is None and self.solution is None:
      raise errors.InputError(
        "fields.answer and fields.solution are both None; name one of them"
      )

  @property
  def required(self) -> tuple[str, ...]:
    """The fields that every line must have."""
    answer = self.answer if self.graded else None
    names = (self.question, answer, self.solution, self.id)
    return tuple(name for name in names if name is not None)


MATH = Fields(question="problem", solution="solution", id="unique_id")
GSM8K = Fields(answer=None, solution="answer")


def read_questions(
  path: pathlib.Path, fields: Fields | None = None
) -> list[base.Question]:
  """Reads a file of one JSON object a line, UTF-8; blank lines are passed over.

  Fields beside the named ones go to `Question.meta`. An empty answer is kept,
  for MATH has two; whatever is graded against it is ungradable.

  Args:
    path: the file.
    fields: its fields; by default "question" and "answer".

  Raises:
    errors.InputError: the file is missing, empty or not UTF-8; a line is not an
      object, lacks a field, or has the id of an earlier line.

  Example:
    >>> import pathlib
    >>> path = pathlib.Path("questions.jsonl")
    >>> _ = path.write_text('{"question": "1 + 2 = ?", "answer": "3"}')
    >>> tts.read_questions(path)[0].answer
    '3'
  """
  fields = Fields() if fields is None else fields
  return [question for question, _, _ in read_records(path, fields)]


def read_records(
  path: pathlib.Path, fields: Fields
) -> Iterator[tuple[base.Question, Mapping[str, Any], str]]:
  """Reads a file as `read_questions` does.

  Args:
    path: the file.
    fields: its fields.

  Yields:
    Each question, the whole object of its line, and where that is, for errors.

  Raises:
    errors.InputError: as `read_questions`.
  """
  line_of: dict[str, int] = {}
  for number, record in read_objects(path):
    place = f"{path}, line {number}"
    question = _question(record, fields, place)
    if question.id in line_of:
      what = "the question" if fields.id is None else f"id {question.id!r}"
      raise errors.InputError(
        f"{place}: {what} is that of line {line_of[question.id]} already; each"
        " must be there once"
      )
    line_of[question.id] = number
    yield question, record, place
  if not line_of:
    raise errors.InputError(
      f"{path}: no questions in it; expected one JSON object a line"
    )


def read_objects(
  path: pathlib.Path,
) -> Iterator[tuple[int, Mapping[str, Any]]]:
  """Reads a file of one JSON object a line, whatever is in them.

  Args:
    path: the file, UTF-8; blank lines are passed over.

  Yields:
    The number of each line, from 1, and its object.

  Raises:
    errors.InputError: the file is missing or not UTF-8; a line is not an
      object.
  """
  json_input.check_file(path, "JSON lines")
  with path.open("rb") as lines:
    for number, line in enumerate(lines, start=1):
      if line.strip():
        yield number, _record(line, f"{path}, line {number}")


@dataclasses.dataclass(frozen=True)
class JsonlTask:
  r"""A task over questions with free-form answers.

  Attributes:
    name: for file names and figures.
    prompt_template: the prompt, `{question}` standing for the question; other
      braces are left alone.
    step_delimiter: what ends a step of a completion.
    grader: judges answers. Hand one in to share it, or to close it.
  """

  name: str = "jsonl"
  prompt_template: str = "Problem: {question}\n\nSolution:\n"
  step_delimiter: str = "\n"
  grader: grading.Grader = dataclasses.field(
    default_factory=grading.Grader, compare=False
  )

  def __post_init__(self) -> None:
    if "{question}" not in self.prompt_template:
      raise errors.InputError(
        f"prompt_template {self.prompt_template!r} must contain {{question}}"
      )

  def prompt(self, question: base.Question) -> str:
    """The template with the question in it."""
    return self.prompt_template.replace("{question}", question.text)

  def completion(self, question: base.Question) -> str:
    """The worked solution; the answer is added where it does not state it."""
    solution = question.solution.strip()
    stated = self.extract(solution)
    if stated is not None and (
      self.canonical(stated) == self.canonical(question.answer)
    ):
      return solution
    return f"{solution}\n{base.ANSWER_MARK} {question.answer}".lstrip()

  def extract(self, completion: str) -> str | None:
    """The answer in the last box, after `####` or after "the answer is"."""
    return extraction.extract_answer(completion)

  def canonical(self, answer: str) -> str | None:
    """The form in which an answer votes."""
    return normalize.canonical(answer)

  def grade_all(
    self, pairs: Sequence[tuple[str, str | None]]
  ) -> list[base.Verdict]:
    """Judges pairs of (reference answer, extracted answer or None)."""
    return self.grader.grade_all(pairs)


def typed(text: str) -> base.Question:
  """A question as one types it: without an answer, its id a digest of it."""
  identity = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
  return base.Question(id=identity, text=text, answer="")


def _record(line: bytes, place: str) -> Mapping[str, Any]:
  record = json_input.parse(line, place)
  if not isinstance(record, dict):
    raise errors.InputError(
      f"{place}: a {type(record).__name__}, expected a JSON object"
    )
  return record


def _question(
  record: Mapping[str, Any], fields: Fields, place: str
) -> base.Question:
  values = {name: _text(record, name, place) for name in fields.required}
  for name in (fields.question, fields.id):
    if name is not None and not values[name].strip():
      raise errors.InputError(f"{place}: field {name!r} is empty")
  solution = values[fields.solution] if fields.solution is not None else ""
  text = values[fields.question]
  if fields.answer is not None and not fields.graded:
    given = record.get(fields.answer) is not None
    answer = _text(record, fields.answer, place) if given else ""
  elif fields.answer is not None:
    answer = values[fields.answer]
  else:
    found = extraction.extract_answer(solution)
    if found is None:
      raise errors.InputError(
        f"{place}: field {fields.solution!r} states no answer;"
        r" expected '#### 18' or '\boxed{18}' in it"
      )
    answer = found
  identity = typed(text).id if fields.id is None else values[fields.id]
  meta = {name: record[name] for name in record if name not in values}
  return base.Question(
    id=identity, text=text, answer=answer, solution=solution, meta=meta
  )


def _text(record: Mapping[str, Any], name: str, place: str) -> str:
  if name not in record:
    present = ", ".join(map(repr, record)) or "none"
    raise errors.InputError(
      f"{place}: field {name!r} is missing; fields present: {present}"
    )
  value = record[name]
  if isinstance(value, bool) or not isinstance(value, str | int | float):
    raise errors.InputError(
      f"{place}: field {name!r} is a {type(value).__name__},"
      " expected text or a number"
    )
  if isinstance(value, float) and not math.isfinite(value):
    raise errors.InputError(
      f"{place}: field {name!r} is {value}; it must be finite, or text"
    )
  return str(value)
