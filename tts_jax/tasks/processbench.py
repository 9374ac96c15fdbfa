"""Solutions whose first wrong step people have marked: ProcessBench's files.

Zheng et al., 2024, "ProcessBench: Identifying Process Errors in Mathematical
Reasoning". Each of its files is one JSON array; one object a line is read too.
"""

import dataclasses
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tts_jax import errors, json_input, storage
from tts_jax.tasks import jsonl


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
  """A solution and what is wrong with it.

  Attributes:
    id: unique in its file.
    generator: who wrote the solution.
    problem: the question, without any prompt around it.
    steps: R of them, none blank.
    final_answer_correct: whether the answer is right, which a solution with a
      wrong step may have, and one without may lack.
    label: index of the first wrong step, -1 where all are right.
  """

  id: str
  generator: str
  problem: str
  steps: tuple[str, ...]
  final_answer_correct: bool
  label: int


# Of each field, the type and its name.
_FIELDS: Mapping[str, tuple[type, str]] = {
  "id": (str, "text"),
  "generator": (str, "text"),
  "problem": (str, "text"),
  "steps": (list, "a list of texts"),
  "final_answer_correct": (bool, "true or false"),
  "label": (int, "a whole number"),
}


def read(path: pathlib.Path) -> list[Sample]:
  """Reads a file, UTF-8: a JSON array of objects, or one object a line.

  Fields beside those of `Sample` are passed over.

  Raises:
    errors.InputError: the file is missing, empty, not UTF-8 or not JSON; an
      entry is no object, lacks a field, has one of another type, a blank
      problem, no step or a blank one, a label that is none of its steps' nor
      -1, or the id of an earlier entry.
  """
  json_input.check_file(path, "ProcessBench's")
  found: dict[str, Sample] = {}
  place_of: dict[str, str] = {}
  for record, place in _records(path):
    sample = _sample(record, f"{path}, {place}")
    if sample.id in found:
      raise errors.InputError(
        f"{path}, {place}: id {sample.id!r} is that of {place_of[sample.id]}"
        " already; ids must differ"
      )
    found[sample.id], place_of[sample.id] = sample, place
  if not found:
    raise errors.InputError(
      f"{path}: no solutions in it; expected a JSON array of objects, or one"
      " object a line"
    )
  return list(found.values())


def by_name(paths: Sequence[str]) -> dict[str, pathlib.Path]:
  """Files by their names without the endings.

  Raises:
    InputError: there are none, or two of one name.
  """
  if not any(paths):
    raise errors.InputError(
      "no file is given; give --config.files=\"('FILE',)\""
    )
  named = {path.stem: path for path in map(storage.at, paths)}
  if len(named) != len(paths):
    raise errors.InputError(
      f"config.files has {len(paths)} files of {len(named)} names; their names,"
      " without the endings, must differ"
    )
  return named


def labels(samples: Sequence[Sample]) -> np.ndarray:
  """[S] int: index of each solution's first wrong step, -1 for none."""
  return np.array([one.label for one in samples], int)


def problems(samples: Sequence[Sample]) -> np.ndarray:
  """[S] int: the number of each solution's problem, in order of appearance.

  Solutions of one problem have one number.
  """
  numbers: dict[str, int] = {}
  return np.array(
    [numbers.setdefault(one.problem, len(numbers)) for one in samples], int
  )


def _records(path: pathlib.Path) -> Iterator[tuple[Mapping[str, Any], str]]:
  """The objects of a file, and where in it each stands."""
  # A byte-order mark is harmless.
  data = path.read_bytes()
  if not data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
    for number, record in jsonl.read_objects(path):
      yield record, f"line {number}"
    return
  for number, record in enumerate(json_input.parse(data, str(path)), start=1):
    place = f"entry {number}"
    if not isinstance(record, dict):
      raise errors.InputError(
        f"{path}, {place}: a {type(record).__name__}, expected a JSON object"
      )
    yield record, place


def _sample(record: Mapping[str, Any], place: str) -> Sample:
  values = {name: _field(record, name, place) for name in _FIELDS}
  steps, label = values.pop("steps"), values["label"]
  for name in ("id", "problem"):
    if not values[name].strip():
      raise errors.InputError(f"{place}: field {name!r} is blank")
  if not steps:
    raise errors.InputError(
      f"{place}: field 'steps' is empty; a solution has a step at least"
    )
  for index, step in enumerate(steps):
    if not isinstance(step, str):
      raise errors.InputError(
        f"{place}: field 'steps' has a {type(step).__name__} at {index},"
        " expected texts"
      )
    if not step.strip():
      raise errors.InputError(f"{place}: field 'steps' is blank at {index}")
  if not -1 <= label < len(steps):
    raise errors.InputError(
      f"{place}: field 'label' is {label}; of {len(steps)} steps it must be"
      f" from 0 to {len(steps) - 1}, or -1 where all are right"
    )
  return Sample(steps=tuple(steps), **values)


def _field(record: Mapping[str, Any], name: str, place: str) -> Any:
  kind, words = _FIELDS[name]
  if name not in record:
    present = ", ".join(map(repr, record)) or "none"
    raise errors.InputError(
      f"{place}: field {name!r} is missing; fields present: {present}"
    )
  value = record[name]
  # By exact type: true is no number here.
  if type(value) is not kind:
    raise errors.InputError(
      f"{place}: field {name!r} is a {type(value).__name__}, expected {words}"
    )
  return value
