"""Monte Carlo labels of steps: a row a sample, and questions to train on."""

import dataclasses
import os

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tts_jax import errors, storage
from tts_jax.store import chains, pool, shards

STAGE = "labels"
# What the labels cost; written once all are there.
SUMMARY = "labels.json"

_COUNTS = pa.list_(pa.int32())
# One entry a step in each list; a sample that was dropped has empty ones.
SCHEMA = pa.schema(
  [
    pa.field("question_id", pa.string(), nullable=False),
    pa.field("uid", pa.int64(), nullable=False),
    pa.field("sample", pa.int32(), nullable=False),
    # Why it has no labels: "" where it has.
    pa.field("dropped", pa.string(), nullable=False),
    pa.field("prompt", _COUNTS, nullable=False),
    # Tokens of the completion up to the step's end.
    pa.field("step_end", _COUNTS, nullable=False),
    # The sample whose pass the prefix was labelled in.
    pa.field("owner", _COUNTS, nullable=False),
    pa.field("rollouts", _COUNTS, nullable=False),
    pa.field("rollouts_correct", _COUNTS, nullable=False),
    pa.field("passing", _COUNTS, nullable=False),
    pa.field("passing_correct", _COUNTS, nullable=False),
    # Tokens of all the prefix's rollouts.
    pa.field("generated", _COUNTS, nullable=False),
    # Tokens read before rollouts, in this sample's passes.
    pa.field("prefilled", pa.int32(), nullable=False),
  ]
)

_PER_STEP = (
  *("step_end", "rollouts", "rollouts_correct"),
  *("passing", "passing_correct"),
)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Solution:
  """A sample with a label at each of its `R` steps.

  Attributes:
    sample: its index in the pool.
    tokens: [T] int32, the completion, the end token included.
    logprobs: [T] float32, in nats.
    step_end: [R] int32, index past the last token of each step, ascending.
    rollouts: [R] int32, drawn from the step's end; 0 at the last one.
    rollouts_correct: [R] int32, those that reached the right answer.
    passing: [R] int32, samples of the question that begin as this one does up
      to here, itself included.
    passing_correct: [R] int32, those that reached the right answer.
  """

  sample: int
  tokens: np.ndarray
  logprobs: np.ndarray
  step_end: np.ndarray
  rollouts: np.ndarray
  rollouts_correct: np.ndarray
  passing: np.ndarray
  passing_correct: np.ndarray

  @property
  def labels(self) -> np.ndarray:
    """[R] float32, the share of all continuations that came out right."""
    right = self.rollouts_correct + self.passing_correct
    return (right / (self.rollouts + self.passing)).astype(np.float32)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Question:
  """A question and its labelled solutions, which may be none.

  Attributes:
    id: the question's.
    uid: its 32-bit hash.
    prompt: [P] int32.
    solutions: in the order of their samples.
    dropped: samples that have no labels.
  """

  id: str
  uid: int
  prompt: np.ndarray
  solutions: tuple[Solution, ...]
  dropped: int


def load_labels(
  path: str | os.PathLike[str], *, partial: bool = False
) -> list[Question]:
  """Loads a run's labels: `labels.load_labels("runs/labels")`.

  Args:
    path: the run's folder, which holds the stages `pool` and `labels`.
    partial: take labels that still lack questions.

  Returns:
    The questions, in the order of the run.

  Raises:
    InputError: there are no labels, a shard is broken, or questions of the pool
      are missing.
  """
  folder = storage.at(path)
  rows = shards.read(folder / STAGE)
  drawn = shards.read(
    folder / pool.STAGE, ("question_id", "sample", "tokens", "logprobs")
  )
  wanted = len(pc.unique(drawn["question_id"]))
  have = len(pc.unique(rows["question_id"]))
  if have < wanted and not partial:
    raise errors.InputError(
      f"{folder / STAGE}: labels of {have} of {wanted} questions; start their"
      " command again, or load them with partial=True"
    )
  keys = zip(
    drawn["question_id"].to_pylist(), drawn["sample"].to_pylist(), strict=True
  )
  place = {key: index for index, key in enumerate(keys)}
  tokens = shards.slices(drawn["tokens"])
  logprobs = shards.slices(drawn["logprobs"])
  prompt = shards.slices(rows["prompt"])
  per_step = {name: shards.slices(rows[name]) for name in _PER_STEP}
  found: dict[str, Question] = {}
  columns = (rows[n].to_pylist() for n in SCHEMA.names[:4])
  for index, (id_, uid, sample, dropped) in enumerate(
    zip(*columns, strict=True)
  ):
    question = found.setdefault(
      id_,
      Question(id=id_, uid=uid, prompt=prompt(index), solutions=(), dropped=0),
    )
    if dropped:
      dropped_now = question.dropped + 1
      found[id_] = dataclasses.replace(question, dropped=dropped_now)
      continue
    solution = Solution(
      sample=sample,
      tokens=tokens(place[id_, sample]),
      logprobs=logprobs(place[id_, sample]),
      **{name: column(index) for name, column in per_step.items()},
    )
    found[id_] = dataclasses.replace(
      question, solutions=(*question.solutions, solution)
    )
  return list(found.values())


def content_hash(*runs: str | os.PathLike[str]) -> str:
  """Hash of runs' labels and samples, by the hashes that name their shards.

  Of runs of chains, which are both, it is the hash of these.
  """
  stages = (pool.STAGE, STAGE, chains.STAGE)
  return shards.content_hash(
    [storage.at(run) / stage for run in runs for stage in stages]
  )
