"""Trajectories of revisions: answers, then the right one that ends them.

A row a trajectory. What a model reads is the prompt, then each answer with the
end token that it stopped at; what follows an end token is a revision. With
`<|end|>` for that token and two answers before the right one:

    Tom has 3 boxes of 4 pens ... How many pens has he?
    3 + 4 = 7
    #### 7<|end|>3 * 4 = 13
    #### 13<|end|>3 * 4 = 12
    #### 12<|end|>

Without context this is the prompt and the completion of ordinary sampling.
"""

import dataclasses
import os

import numpy as np
import pyarrow as pa

from tts_jax import errors, storage
from tts_jax.store import shards

STAGE = "trajectories"
# What the pool offered; written once all trajectories are there.
SUMMARY = "trajectories.json"

_TOKENS = pa.list_(pa.int32())
SCHEMA = pa.schema(
  [
    pa.field("question_id", pa.string(), nullable=False),
    pa.field("prompt", _TOKENS, nullable=False),
    # Answers before it, as they are shown, end tokens included.
    pa.field("context", pa.list_(_TOKENS), nullable=False),
    # Which of them are right.
    pa.field("context_correct", pa.list_(pa.bool_()), nullable=False),
    # The right answer, alike.
    pa.field("target", _TOKENS, nullable=False),
    # Where they stand among the question's samples or a chain's answers.
    pa.field("context_samples", _TOKENS, nullable=False),
    pa.field("target_sample", pa.int32(), nullable=False),
  ]
)


def content_hash(*runs: str | os.PathLike[str]) -> str:
  """Hash of runs' trajectories, by the hashes that name their shards."""
  folders = [storage.at(run) / STAGE for run in runs]
  return shards.content_hash(folders)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Trajectory:
  """Answers to a question, of which the last is right.

  Attributes:
    question_id: the question's.
    prompt: [P] int32.
    context: those before it, each [T] int32.
    context_correct: which of them are right.
    target: [T] int32, the last.
  """

  question_id: str
  prompt: np.ndarray
  context: tuple[np.ndarray, ...]
  context_correct: tuple[bool, ...]
  target: np.ndarray

  def shown(self, context_tokens: int) -> int:
    """How many of the latest answers before the target fit so many tokens."""
    count = 0
    for answer in reversed(self.context):
      context_tokens -= len(answer)
      if context_tokens < 0:
        break
      count += 1
    return count

  def read(self, context_tokens: int) -> np.ndarray:
    """What a model reads before it revises, [P + C] int32.

    Args:
      context_tokens: C at most: the earliest answers are left out until the
        others fit.
    """
    first = len(self.context) - self.shown(context_tokens)
    return np.concatenate([self.prompt, *self.context[first:]])

  def learned(self, context_tokens: int, *, first: bool = False) -> np.ndarray:
    """Which tokens of `read` are of right answers, [P + C] bool.

    Each is the target of the trajectory that ends with it.

    Args:
      context_tokens: C at most, as for `read`.
      first: those of the answer that follows the prompt too, right or wrong.
    """
    start = len(self.context) - self.shown(context_tokens)
    parts = [np.zeros(len(self.prompt), bool)]
    for place in range(start, len(self.context)):
      right = self.context_correct[place] or (first and place == 0)
      parts.append(np.full(len(self.context[place]), right))
    return np.concatenate(parts)


def load_trajectories(path: str | os.PathLike[str]) -> list[Trajectory]:
  """Loads a run's: `trajectories.load_trajectories("runs/revisions")`.

  Args:
    path: the run's folder.

  Returns:
    In the order of the run: questions, then their right answers.

  Raises:
    InputError: there are none, a shard is broken, or some are missing.
  """
  folder = storage.at(path)
  rows = shards.read(folder / STAGE)
  if not (folder / SUMMARY).is_file():
    raise errors.InputError(
      f"{folder}: {SUMMARY} is missing, so not all trajectories are there;"
      " start their command again"
    )
  ids = rows["question_id"].to_pylist()
  prompt, target = shards.slices(rows["prompt"]), shards.slices(rows["target"])
  context = rows["context"].combine_chunks()
  answers = context.values  # One list an answer, over all rows.
  answer = shards.slices(pa.chunked_array([answers]))
  first = context.offsets.to_numpy()
  correct = rows["context_correct"].to_pylist()
  return [
    Trajectory(
      question_id=ids[i],
      prompt=prompt(i),
      context=tuple(answer(j) for j in range(first[i], first[i + 1])),
      context_correct=tuple(correct[i]),
      target=target(i),
    )
    for i in range(rows.num_rows)
  ]
