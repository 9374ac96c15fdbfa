"""Searches: what each method found for each question, a row a search."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tts_jax import errors, storage, types
from tts_jax.store import shards

STAGE = "search"

# One entry a final in each list. A final without a valid answer has a null.
SCHEMA = pa.schema(
  [
    pa.field("method", pa.string(), nullable=False),
    pa.field("budget", pa.int32(), nullable=False),
    pa.field("seed", pa.int32(), nullable=False),
    pa.field("question_id", pa.string(), nullable=False),
    pa.field("text", pa.list_(pa.string()), nullable=False),
    pa.field("answer", pa.list_(pa.string()), nullable=False),
    pa.field("correct", pa.list_(pa.bool_()), nullable=False),
    pa.field("valid", pa.list_(pa.bool_()), nullable=False),
    # Of the last step; the others are in `step_scores`.
    pa.field("score", pa.list_(pa.float32()), nullable=False),
    pa.field("step_scores", pa.list_(pa.list_(pa.float32())), nullable=False),
    pa.field("length", pa.list_(pa.int32()), nullable=False),
    *(
      pa.field(field.name, pa.int32(), nullable=False)
      for field in dataclasses.fields(types.Cost)
    ),
  ]
)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Searches:
  """One method at one budget, by one seed, on all questions of a run.

  N is the most finals that a question has; what lacks is not valid.

  Attributes:
    question_ids: Q ids, in the order of the run.
    answers: [Q, N] int32, the group in which the answer votes, numbered inside
      each question by first appearance; -1 where there is none.
    correct: [Q, N] bool.
    valid: [Q, N] bool, the solution has its end token.
    score: [Q, N] float32, of its last step.
    length: [Q, N] int32.
    cost: the ledger, fields [Q] int32.
  """

  question_ids: tuple[str, ...]
  answers: np.ndarray
  correct: np.ndarray
  valid: np.ndarray
  score: np.ndarray
  length: np.ndarray
  cost: types.Cost


def load_searches(
  path: str | os.PathLike[str],
) -> Mapping[tuple[str, int, int], Searches]:
  """Loads a run's searches: `searches.load_searches("runs/search")`.

  Args:
    path: the run's folder.

  Returns:
    {(method, budget, seed): what was found}.

  Raises:
    InputError: there are none, or a shard is broken.
  """
  folder = storage.at(path) / STAGE
  wanted = [n for n in SCHEMA.names if n not in ("text", "step_scores")]
  rows = shards.read(folder, wanted)
  if not rows.num_rows:
    raise errors.InputError(f"{folder}: there are no searches")
  found: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
  for row in rows.to_pylist():
    key = (row["method"], row["budget"], row["seed"])
    found.setdefault(key, []).append(row)
  return {key: _searches(mine) for key, mine in found.items()}


def finals(
  path: str | os.PathLike[str],
  method: str,
  budgets: Sequence[int],
  seed: int = 0,
) -> list[list[str | None]]:
  """The solutions of searches of as many rows as their budgets.

  Args:
    path: the run's folder.
    method: of the searches.
    budgets: of the searches, in the order in which their finals are wanted.
    seed: of the searches.

  Returns:
    For each question of the run, `sum(budgets)` texts; None where a solution
    has no end, or a search has fewer.

  Raises:
    InputError: a shard is broken, or a search is missing.
  """
  folder = storage.at(path) / STAGE
  names = ("method", "budget", "seed", "question_id", "text", "valid")
  found: dict[str, dict[int, list[str | None]]] = {}
  for row in shards.read(folder, names).to_pylist():
    if (row["method"], row["seed"]) != (method, seed):
      continue
    texts = zip(row["text"], row["valid"], strict=True)
    mine = [text if valid else None for text, valid in texts]
    mine += [None] * (row["budget"] - len(mine))
    found.setdefault(row["question_id"], {})[row["budget"]] = mine
  for budget in budgets:
    if not found or any(budget not in mine for mine in found.values()):
      raise errors.InputError(
        f"{folder}: {method} at budget {budget} is not whole; start its command"
        " again"
      )
  return [
    [text for budget in budgets for text in mine[budget]]
    for mine in found.values()
  ]


def _searches(rows: list[dict[str, Any]]) -> Searches:
  most = max(len(row["answer"]) for row in rows)

  def square(name: str, fill: Any, dtype: type) -> np.ndarray:
    padded = [[*row[name], *[fill] * (most - len(row[name]))] for row in rows]
    return np.array(padded, dtype)

  answers = np.full((len(rows), most), -1, np.int32)
  for place, given in zip(answers, square("answer", None, object), strict=True):
    seen: dict[str, int] = {}
    for index, answer in enumerate(given):
      if answer is not None:
        place[index] = seen.setdefault(answer, len(seen))
  cost = types.Cost(
    **{
      field.name: np.array([row[field.name] for row in rows], np.int32)
      for field in dataclasses.fields(types.Cost)
    }
  )
  return Searches(
    question_ids=tuple(str(row["question_id"]) for row in rows),
    answers=answers,
    correct=square("correct", False, np.bool_),
    valid=square("valid", False, np.bool_),
    score=square("score", 0.0, np.float32),
    length=square("length", 0, np.int32),
    cost=cost,
  )
