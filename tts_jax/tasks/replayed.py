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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fields:
  """The names of a file's fields; an empty one is not there.

  Attributes:
    question: text of the question.
    answer: reference answer.
    id: id of the question; empty: a digest of its text.
    completions: a list of texts.
    scores: for each completion the scores of its steps, or one score.
    verdicts: for each completion whether it is right; empty: it is graded.
  """

  question: str = "problem"
  answer: str = "answer"
  id: str = ""
  completions: str = "completions"
  scores: str = "scores"
  verdicts: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Replayed:
  """A question and its N completions.

  Attributes:
    question: the question; `meta` holds the line's other fields.
    completions: N texts.
    scores: for each completion those of its steps, from 0 to 1; None: the file
      has none.
    verdicts: for each completion whether it is right; None: not said.
  """

  question: base.Question
  completions: tuple[str, ...]
  scores: tuple[tuple[float, ...], ...] | None
  verdicts: tuple[bool, ...] | None

  def first(self, count: int) -> "Replayed":
    """With so many completions."""
    return Replayed(
      question=self.question,
      completions=self.completions[:count],
      scores=None if self.scores is None else self.scores[:count],
      verdicts=None if self.verdicts is None else self.verdicts[:count],
    )


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
      N, or with N = 0 not as many as the first; scores or verdicts do not go
      with them; a score is no number from 0 to 1; N is below 0.
  """
  fields = fields or Fields()
  named = jsonl.Fields(
    question=fields.question, answer=fields.answer, id=fields.id or None
  )
  if samples < 0:
    raise errors.InputError(f"samples is {samples}; it must be at least 0")
  found: list[Replayed] = []
  for question, record, place in jsonl.read_records(path, named):
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
  scores = verdicts = None
  if fields.scores:
    scores = tuple(
      _steps(one, f"{place}: field {fields.scores!r}, completion {index}")
      for index, one in enumerate(_list(record, fields.scores, place, texts))
    )
  if fields.verdicts:
    verdicts = tuple(_list(record, fields.verdicts, place, texts))
    if not all(type(one) is bool for one in verdicts):
      raise errors.InputError(
        f"{place}: field {fields.verdicts!r} must be a list of true and false"
      )
  # What is read here need not be carried along.
  own = {fields.completions, fields.scores, fields.verdicts}
  meta = {name: one for name, one in question.meta.items() if name not in own}
  return Replayed(
    question=dataclasses.replace(question, meta=meta),
    completions=tuple(texts),
    scores=scores,
    verdicts=verdicts,
  )


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
        f"{place} has the score {one!r}; it must be a number from 0 to 1"
      )
  return tuple(map(float, steps))
