"""The pool: samples of every question, as a table and as arrays."""

import dataclasses
import math
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tts_jax import errors, json_input, storage
from tts_jax.store import run, shards

STAGE = "pool"
_EXPECTED = "pool.json"
VERDICTS = ("correct", "wrong", "ungradable")

SCHEMA = pa.schema(
  [
    pa.field("question_id", pa.string(), nullable=False),
    pa.field("uid", pa.int64(), nullable=False),
    pa.field("sample", pa.int32(), nullable=False),
    pa.field("text", pa.string(), nullable=False),
    pa.field("tokens", pa.list_(pa.int32()), nullable=False),
    pa.field("logprobs", pa.list_(pa.float32()), nullable=False),
    pa.field("logprob", pa.float32(), nullable=False),
    pa.field("step_min_logprob", pa.list_(pa.float32()), nullable=False),
    pa.field("answer", pa.string()),
    pa.field("verdict", pa.string(), nullable=False),
    pa.field("finished", pa.bool_(), nullable=False),
  ]
)

_UNREAD = ("text", "logprobs")
_READ = tuple(name for name in SCHEMA.names if name not in _UNREAD)


@dataclasses.dataclass(frozen=True, eq=False)
class Pool:
  """A pool as arrays: `Q` questions in the order of the run, `N` samples each.

  Attributes:
    question_ids: Q ids.
    uid: [Q] uint32, the ids' stable hashes.
    answers: [Q, N] int32, the group in which the answer votes, numbered inside
      each question by first appearance; -1 where there is no answer.
    groups: for each question, the canonical answer of each group.
    correct: [Q, N] bool.
    ungradable: [Q, N] bool, no verdict could be had; never `correct`.
    finished: [Q, N] bool, False where the completion was cut at its limit.
    length: [Q, N] int32, tokens generated, the end token included.
    logprob: [Q, N] float32, log-probability of the whole completion, in nats.
    least_logprob: [Q, N] float32, that of its least likely token; 0 where
      there is none.
  """

  question_ids: tuple[str, ...]
  uid: np.ndarray
  answers: np.ndarray
  groups: tuple[tuple[str, ...], ...]
  correct: np.ndarray
  ungradable: np.ndarray
  finished: np.ndarray
  length: np.ndarray
  logprob: np.ndarray
  least_logprob: np.ndarray

  def verdicts(self) -> dict[str, int]:
    """How many samples had each verdict."""
    correct, ungradable = int(self.correct.sum()), int(self.ungradable.sum())
    wrong = self.correct.size - correct - ungradable
    return dict(zip(VERDICTS, (correct, wrong, ungradable), strict=True))


def table(
  *,
  question_id: Sequence[str],
  uid: Sequence[int],
  sample: Sequence[int],
  text: Sequence[str],
  tokens: Sequence[Sequence[int]],
  logprobs: Sequence[Sequence[float]],
  step_min_logprob: Sequence[Sequence[float]],
  answer: Sequence[str | None],
  verdict: Sequence[str],
  finished: Sequence[bool],
) -> pa.Table:
  """Makes pool rows from columns of equal length, one entry a sample.

  Args:
    question_id: id of the question.
    uid: its 32-bit hash.
    sample: index of the sample, from 0.
    text: the completion.
    tokens: its tokens, the end token included.
    logprobs: log-probability of each token, in nats.
    step_min_logprob: the least of them in each step.
    answer: the canonical answer, None where it states none.
    verdict: one of `VERDICTS`.
    finished: the end token was reached.

  Returns:
    A table of `SCHEMA`; `logprob` is the sum of `logprobs`, rounded once.

  Raises:
    ValueError: columns differ in length, hold None where they must not, name
      an unknown verdict, or give a row other than one logprob a token.
  """
  columns: dict[str, Sequence[Any]] = {
    "question_id": question_id,
    "uid": uid,
    "sample": sample,
    "text": text,
    "tokens": tokens,
    "logprobs": logprobs,
    "logprob": [math.fsum(row) for row in logprobs],
    "step_min_logprob": step_min_logprob,
    "answer": answer,
    "verdict": verdict,
    "finished": finished,
  }
  for name, column in columns.items():
    if len(column) != len(question_id):
      raise ValueError(f"{name} has {len(column)} rows, not {len(question_id)}")
  unknown = sorted(set(verdict) - set(VERDICTS))
  if unknown:
    raise ValueError(f"verdict {unknown[0]!r} is none of {VERDICTS}")
  for row, (left, right) in enumerate(zip(tokens, logprobs, strict=True)):
    if len(left) != len(right):
      raise ValueError(
        f"row {row} has {len(left)} tokens and {len(right)} logprobs"
      )
  arrays = [pa.array(columns[each.name], each.type) for each in SCHEMA]
  for each, array in zip(SCHEMA, arrays, strict=True):
    if array.null_count and not each.nullable:
      raise ValueError(f"{each.name} holds {array.null_count} Nones")
  return pa.Table.from_arrays(arrays, schema=SCHEMA)


def contents(run_folder: run.Run) -> list[str]:
  """Names of the pool's shards, which tell their contents: a stage's inputs."""
  return sorted(path.name for path in (run_folder.path / STAGE).glob("*"))


def expect(run_folder: run.Run, questions: int) -> None:
  """Writes down how many questions the run is to have samples of."""
  run_folder.write_json(_EXPECTED, {"questions": questions})


def expected(folder: pathlib.Path) -> int | None:
  """What `expect` wrote in a run's folder; None where it did not.

  Raises:
    InputError: it can no longer be read.
  """
  path = folder / _EXPECTED
  if not path.is_file():
    return None
  told = json_input.read_object(path, "the number of questions")
  wanted = told.get("questions")
  if type(wanted) is not int:
    raise errors.InputError(
      f"{path}: questions is {wanted!r}; it must be a whole number; start the"
      " command that made it again"
    )
  return wanted


def load_pool(
  path: str | os.PathLike[str],
  *,
  samples: int | None = None,
  partial: bool = False,
) -> Pool:
  """Loads the pool of a run: `pool.load_pool("runs/first")`.

  Completions' texts and log-probabilities stay on disk; `shards.read` has them.

  Args:
    path: a run's folder, or its pool's.
    samples: N; each question's first N samples are used. None: all.
    partial: take a pool that still lacks questions.

  Returns:
    The pool as arrays.

  Raises:
    InputError: there is no pool, a shard is broken, questions are missing, or
      one lacks a sample below N or has one twice.

  Example:
    >>> from tts_jax.model import embedded
    >>> tts.load_pool(embedded.FOLDER.parent / "larger").correct.shape
    (500, 1)
  """
  folder = storage.at(path)
  folder = folder / STAGE if (folder / STAGE).is_dir() else folder
  found = from_rows(shards.read(folder, _READ), folder, samples=samples)
  wanted = expected(folder.parent) or 0
  if len(found.question_ids) < wanted and not partial:
    raise errors.InputError(
      f"{folder}: the pool has {len(found.question_ids)} of {wanted} questions;"
      " start its command again, or load it with partial=True"
    )
  return found


def from_rows(
  rows: pa.Table, folder: pathlib.Path, *, samples: int | None = None
) -> Pool:
  """A pool from the rows of its table, in the order of the run.

  Args:
    rows: with the columns of `SCHEMA`; texts and `logprobs` are not read.
    folder: that they are of, for messages.
    samples: as of `load_pool`.

  Raises:
    InputError: there are none, or a question lacks a sample or has one twice.
  """
  if samples is None:
    samples = 1 + pc.max(rows["sample"]).as_py() if rows.num_rows else 0
  rows = rows.filter(pc.less(rows["sample"], samples)).combine_chunks()
  if not rows.num_rows:
    raise errors.InputError(f"{folder}: the pool has no samples")
  # Ids are numbered by first appearance, which is the order of the run.
  ids = pc.unique(rows["question_id"])
  question = pc.index_in(rows["question_id"], ids).to_numpy()
  place = question.astype(np.int64) * samples + rows["sample"].to_numpy()
  question_ids = tuple(ids.to_pylist())
  _check_whole(folder, place, question_ids, samples)
  order = np.argsort(place)

  def square(values: np.ndarray) -> np.ndarray:
    return values[order].reshape(len(question_ids), samples)

  verdict = square(rows["verdict"].to_numpy())
  answers, groups = _group(square(rows["answer"].to_numpy()))
  return Pool(
    question_ids=question_ids,
    uid=square(rows["uid"].to_numpy())[:, 0].astype(np.uint32),
    answers=answers,
    groups=groups,
    correct=verdict == "correct",
    ungradable=verdict == "ungradable",
    finished=square(rows["finished"].to_numpy()),
    length=square(pc.list_value_length(rows["tokens"]).to_numpy()),
    logprob=square(rows["logprob"].to_numpy()),
    least_logprob=square(_least(rows["step_min_logprob"])),
  )


def _check_whole(
  folder: pathlib.Path,
  place: np.ndarray,
  question_ids: Sequence[str],
  samples: int,
) -> None:
  """Checks that each question has each of its samples once."""
  counts = np.bincount(place, minlength=len(question_ids) * samples)
  wrong = np.flatnonzero(counts != 1)
  if not len(wrong):
    return
  question, sample = divmod(int(wrong[0]), samples)
  if counts[wrong[0]]:
    fault = f"has sample {sample} {counts[wrong[0]]} times"
  else:
    have = np.count_nonzero(counts.reshape(-1, samples)[question])
    fault = f"has {have} of {samples} samples and lacks number {sample}"
  raise errors.InputError(
    f"{folder}: question {question_ids[question]!r} {fault}; ask for fewer"
    " samples, or sample again"
  )


def _group(
  answers: np.ndarray,
) -> tuple[np.ndarray, tuple[tuple[str, ...], ...]]:
  """Numbers the answers [Q, N] inside each question."""
  numbers = np.full(answers.shape, -1, np.int32)
  names = []
  for row, given in zip(numbers, answers, strict=True):
    seen: dict[str, int] = {}
    for sample, answer in enumerate(given):
      if answer is not None:
        row[sample] = seen.setdefault(answer, len(seen))
    names.append(tuple(seen))
  return numbers, tuple(names)


def _least(lists: pa.ChunkedArray) -> np.ndarray:
  """The least of each list, 0 for an empty one."""
  least = np.zeros(len(lists), np.float32)
  owner = pc.list_parent_indices(lists).to_numpy()
  np.minimum.at(least, owner, pc.list_flatten(lists).to_numpy())
  return least


def texts(
  path: str | os.PathLike[str],
) -> Iterator[tuple[str, int, str]]:
  """Yields (question id, sample, completion) of a run's pool, in no order."""
  names = ("question_id", "sample", "text")
  rows = shards.read(storage.at(path) / STAGE, names)
  for row in rows.to_pylist():
    yield row["question_id"], row["sample"], row["text"]
