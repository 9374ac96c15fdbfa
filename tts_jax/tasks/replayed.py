"""Samples that somebody else made, from a file of JSON lines.

A line is a question with its reference answer and N completions, and
optionally a verifier's scores of their steps, verdicts, and what was voted for.
The names of the fields are those of search-and-learn; others can be given.
"""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from tts_jax import errors
from tts_jax.tasks import base, jsonl

# Ends the name of a field that may lack.
_OPTIONAL = "?"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fields:
  """The names of a file's fields.

  Of the fields after `answer` an empty name is not there, and one that ends in
  "?" is there if the first line has it.

  Attributes:
    question: text of the question.
    answer: reference answer.
    completions: a list of texts.
    id: id of the question; where it lacks, a digest of its text.
    scores: for each completion the scores of its steps, or one score.
    verdicts: for each whether it is right, null where nobody can tell; where
      they lack, answers are graded.
    stated: for each the answer that it states, null or empty for none; equal
      ones vote together as they stand. Where they lack, answers are read out of
      the texts.
    finished: for each whether it came to its end.
  """

  question: str = "problem"
  answer: str = "answer"
  completions: str = "completions"
  id: str = "id?"
  scores: str = "scores?"
  verdicts: str = "verdicts?"
  stated: str = "preds?"
  finished: str = "finished?"

  def of(self, record: Mapping[str, Any]) -> "Fields":
    """With what may lack settled by a file's first line."""
    optional = {}
    for field in dataclasses.fields(self):
      name = getattr(self, field.name)
      if name.endswith(_OPTIONAL):
        known = _certain(name)
        optional[field.name] = known if known in record else ""
    return dataclasses.replace(self, **optional)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Replayed:
  """A question and its N completions.

  Attributes:
    question: the question; `meta` holds the line's other fields.
    completions: N texts.
    scores: for each completion those of its steps, from 0 to 1; none for one
      that has no step. None: the file has no scores.
    verdicts: for each whether it is right, None where nobody can tell; None:
      not said.
    stated: for each the answer that it states, None for none; None: not said.
    finished: for each whether it came to its end; None: not said.
  """

  question: base.Question
  completions: tuple[str, ...]
  scores: tuple[tuple[float, ...], ...] | None = None
  verdicts: tuple[bool | None, ...] | None = None
  stated: tuple[str | None, ...] | None = None
  finished: tuple[bool, ...] | None = None

  def first(self, count: int) -> "Replayed":
    """With so many completions."""
    parts = ("completions", "scores", "verdicts", "stated", "finished")
    found = {name: getattr(self, name) for name in parts}
    return dataclasses.replace(
      self,
      **{name: one and one[:count] for name, one in found.items()},
    )

  def answers(self, task: base.Task) -> list[str | None]:
    """For each completion the answer that it states, None for none."""
    if self.stated is not None:
      return list(self.stated)
    return [task.extract(text) for text in self.completions]

  def votes(
    self, answers: Sequence[str | None], task: base.Task
  ) -> list[str | None]:
    """The groups in which these vote."""
    if self.stated is not None:
      return list(answers)
    return base.canonical_all(task, answers)


def read(
  path: pathlib.Path, fields: Fields | None = None, samples: int = 0
) -> list[Replayed]:
  """Reads a file, a question a line, each with as many completions.

  Args:
    path: the file.
    fields: its fields.
    samples: N, the first of each question; 0: all, as many on every line.

  Raises:
    InputError: as `jsonl.read_questions`; a line has no completions, fewer than
      N, or with N = 0 not as many as the first; what is said of each does not
      go with them; a score is no number from 0 to 1; N is below 0.
  """
  if samples < 0:
    raise errors.InputError(f"samples is {samples}; it must be at least 0")
  fields = fields or Fields()
  _, first, _ = next(jsonl.read_records(path, _named(fields)))
  fields = fields.of(first)
  found: list[Replayed] = []
  for question, record, place in jsonl.read_records(path, _named(fields)):
    one = _replayed(question, record, fields, place)
    have = len(one.completions)
    if have < samples:
      raise errors.InputError(
        f"{place}: {have} completions; config.samples asks for {samples}"
      )
    if not samples and found and have != len(found[0].completions):
      raise errors.InputError(
        f"{place}: {have} completions, but the first line has"
        f" {len(found[0].completions)}; --config.samples=N takes the first N"
      )
    found.append(one.first(samples or have))
  return found


def record(one: Replayed) -> dict[str, Any]:
  """A line that `read` reads as this, by the fields' own names.

  What is not said of the completions is left out, and the worked solution where
  there is none.
  """
  question, names = one.question, Fields()
  known = {names.question: question.text, names.answer: question.answer}
  if question.solution:
    known["solution"] = question.solution
  said = {
    name: getattr(one, name)
    for name in ("scores", "verdicts", "stated", "finished")
  }
  return {
    **known,
    # A source's other fields may have these names.
    **question.meta,
    **known,
    _certain(names.id): question.id,
    names.completions: list(one.completions),
    **{
      _certain(getattr(names, name)): list(found)
      for name, found in said.items()
      if found is not None
    },
  }


def check_gradable(found: Sequence[Replayed], task: base.Task) -> None:
  """Checks that a task of plain numbers can grade what is not graded.

  Args:
    found: Q questions.
    task: grades answers.

  Raises:
    InputError: a reference answer is no number; its question is named.
  """
  if not isinstance(task, base.NumericAnswers):
    return
  for one in found:
    question = one.question
    if one.verdicts is None and task.canonical(question.answer) is None:
      raise errors.InputError(
        f"question {question.text[:60]!r}: the answer {question.answer!r} is no"
        " number, so that config.task cannot grade it; leave it at 'jsonl'"
      )


def check_scored(found: Sequence[Replayed], task: base.Task) -> None:
  """Checks that every completion that states an answer has a scored step.

  One that states none is never chosen, and may go without.

  Args:
    found: Q questions.
    task: reads answers.

  Raises:
    InputError: one has an answer and no score; it is named.
  """
  for one in found:
    bare = [i for i, steps in enumerate(one.scores or ()) if not steps]
    if not bare:
      continue
    groups = one.votes(one.answers(task), task)
    for index in bare:
      if groups[index] is not None:
        raise errors.InputError(
          f"question {one.question.text[:60]!r}: completion {index} states the"
          f" answer {groups[index]!r}, but its list of scores is empty; score"
          " it, or leave the scores out: --config.fields.scores="
        )


def _certain(name: str) -> str:
  return name.removesuffix(_OPTIONAL)


def _named(fields: Fields) -> jsonl.Fields:
  """What every line is read by; an id that may lack is not asked for."""
  certain = not fields.id.endswith(_OPTIONAL)
  return jsonl.Fields(
    question=fields.question,
    answer=fields.answer,
    id=(fields.id if certain else "") or None,
  )


def _replayed(
  question: base.Question,
  record: Mapping[str, Any],
  fields: Fields,
  place: str,
) -> Replayed:
  texts = _list(record, fields.completions, place)
  if not texts or not all(isinstance(text, str) for text in texts):
    raise errors.InputError(
      f"{place}: field {fields.completions!r} must be a list of texts, at least"
      " one"
    )
  scores = stated = None
  if fields.scores:
    scores = tuple(
      _steps(one, f"{place}: field {fields.scores!r}, completion {index}")
      for index, one in enumerate(_list(record, fields.scores, place, texts))
    )
  if fields.stated:
    said = _all(record, fields.stated, place, texts, (str, type(None)))
    stated = tuple((one or "").strip() or None for one in said)
  verdicts = finished = None
  if fields.verdicts:
    types = (bool, type(None))
    verdicts = tuple(_all(record, fields.verdicts, place, texts, types))
  if fields.finished:
    finished = tuple(_all(record, fields.finished, place, texts, (bool,)))
  # What is read here need not be carried along.
  own = {getattr(fields, field.name) for field in dataclasses.fields(fields)}
  meta = {name: one for name, one in question.meta.items() if name not in own}
  return Replayed(
    question=dataclasses.replace(question, meta=meta),
    completions=tuple(texts),
    scores=scores,
    verdicts=verdicts,
    stated=stated,
    finished=finished,
  )


_WORDS = {str: "text", bool: "true and false", type(None): "null"}


def _all(
  record: Mapping[str, Any],
  name: str,
  place: str,
  texts: Sequence[str],
  types: tuple[type, ...],
) -> list[Any]:
  """A list of one entry a completion, each of these types."""
  found = _list(record, name, place, texts)
  if not all(type(one) in types for one in found):
    raise errors.InputError(
      f"{place}: field {name!r} must be a list of"
      f" {' or '.join(_WORDS[one] for one in types)}"
    )
  return found


def _list(
  record: Mapping[str, Any],
  name: str,
  place: str,
  texts: Sequence[str] | None = None,
) -> list[Any]:
  """The list in a field, as long as the completions where they are given."""
  if name not in record:
    present = ", ".join(map(repr, record)) or "none"
    raise errors.InputError(
      f"{place}: field {name!r} is missing; fields present: {present}"
    )
  found = record[name]
  if not isinstance(found, list):
    raise errors.InputError(
      f"{place}: field {name!r} is a {type(found).__name__}, expected a list"
    )
  if texts is not None and len(found) != len(texts):
    raise errors.InputError(
      f"{place}: field {name!r} has {len(found)} entries for {len(texts)}"
      " completions"
    )
  return found


def _steps(found: Any, place: str) -> tuple[float, ...]:
  """The scores of a completion's steps; one number is that of its only step."""
  steps = found if isinstance(found, list) else [found]
  for one in steps:
    if type(one) not in (int, float) or not 0 <= one <= 1:
      raise errors.InputError(
        f"{place} has the score {one!r}; it must be a number from 0 to 1, and a"
        " logit must go through a sigmoid first"
      )
  return tuple(map(float, steps))
