"""Chains of revisions: a row an answer, as the pool has a row a sample."""

import dataclasses
import os

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tts_jax import errors, storage
from tts_jax.store import pool, shards

STAGE = "chains"
# What drew them; written once all are there.
SUMMARY = "chains.json"

# Of a question's answers the `sample`-th is turn `turn` of chain `chain`.
SCHEMA = pa.schema(
  [
    *pool.SCHEMA,
    pa.field("prompt", pa.list_(pa.int32()), nullable=False),
    pa.field("chain", pa.int32(), nullable=False),
    pa.field("turn", pa.int32(), nullable=False),
    # Its context, as turns of its chain, the latest last.
    pa.field("context", pa.list_(pa.int32()), nullable=False),
    # Tokens of the context that were read anew, since an answer had left it.
    pa.field("read", pa.int32(), nullable=False),
  ]
)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Chains:
  """A run's chains as arrays.

  Attributes:
    answers: as of a pool, [Q, A]: those of the first chain, then of the second,
      and so on.
    lengths: answers of each chain, of every question.
    context: [Q, A] int32, tokens of the answer's context.
    read: [Q, A] int32, those of them that were read anew.
  """

  answers: pool.Pool
  lengths: tuple[int, ...]
  context: np.ndarray
  read: np.ndarray

  def prefixes(self, values: np.ndarray, length: int) -> np.ndarray:
    """The first answers of every chain that has so many.

    Args:
      values: [Q, A], of the answers.
      length: s, of each prefix.

    Returns:
      [Q, E, s], of E chains.

    Raises:
      InputError: no chain is so long.
    """
    starts = np.cumsum([0, *self.lengths[:-1]])
    able = [
      start
      for start, own in zip(starts, self.lengths, strict=True)
      if own >= length
    ]
    if not able:
      raise errors.InputError(
        f"no chain has {length} answers; they have {max(self.lengths)} at most"
      )
    return values[:, np.add.outer(able, np.arange(length))]


# Chains whose first answers a search found, in the order of their budgets.
OF_SEARCH = "chains_of_search"

# A verifier's scores of them are a stage each, by what the verifier reads.
SCORES = {
  "history": "scores_history",  # a revision verifier, answers behind contexts
  "alone": "scores_alone",  # a revision verifier, each answer alone
  "prm": "scores_prm",  # the base model's verifier, which knows no contexts
}
SCORES_OF_SEARCH = "scores_of_search"
SCORES_SCHEMA = pa.schema(
  [
    pa.field("question_id", pa.string(), nullable=False),
    pa.field("sample", pa.int32(), nullable=False),
    # The chance that the answer is right; null where it was cut.
    pa.field("score", pa.float32()),
  ]
)


def load_all_scores(
  path: str | os.PathLike[str], chains: Chains
) -> dict[str, np.ndarray]:
  """Loads what verifiers make of a run's chains.

  Args:
    path: the run's folder.
    chains: of the same run.

  Returns:
    {a key of `SCORES`: scores as `load_scores` gives them}, of those that are
    there.

  Raises:
    InputError: as `load_scores`.
  """
  return {
    name: load_scores(path, chains, stage)
    for name, stage in SCORES.items()
    if (storage.at(path) / stage).is_dir()
  }


def load_scores(
  path: str | os.PathLike[str], chains: Chains, stage: str
) -> np.ndarray:
  """Loads one stage of scores, [Q, A] float32; 0 where an answer was cut.

  Raises:
    InputError: a shard is broken, or the scores are not of these answers.
  """
  folder = storage.at(path) / stage
  rows = shards.read(folder)
  shape = chains.answers.correct.shape
  ids = np.repeat(chains.answers.question_ids, shape[1])
  if rows["question_id"].to_pylist() != ids.tolist():
    raise errors.InputError(
      f"{folder}: its {rows.num_rows} scores are not those of the chains'"
      f" {len(ids)} answers; start its command again"
    )
  score = rows["score"].fill_null(0.0).to_numpy()
  return score.reshape(shape).astype(np.float32)


def load_chains(path: str | os.PathLike[str], stage: str = STAGE) -> Chains:
  """Loads a run's chains: `chains.load_chains("runs/revise")`.

  Args:
    path: the run's folder.
    stage: its stage of chains.

  Raises:
    InputError: there are none, a shard is broken, or questions are missing.
  """
  folder = storage.at(path) / stage
  answers = pool.load_pool(folder)
  rows = shards.read(folder, ("chain", "turn", "context", "read"))
  shape = answers.correct.shape
  chain = rows["chain"].to_numpy().reshape(shape)
  seen = rows["context"].combine_chunks()
  # A context holds turns of the answer's own chain.
  owner = pc.list_parent_indices(seen).to_numpy()
  place = owner - rows["turn"].to_numpy()[owner] + seen.flatten().to_numpy()
  tokens = np.bincount(
    owner, answers.length.reshape(-1)[place], minlength=len(seen)
  )
  return Chains(
    answers=answers,
    lengths=tuple(np.bincount(chain[0]).tolist()),
    context=tokens.astype(np.int32).reshape(shape),
    read=rows["read"].to_numpy().reshape(shape),
  )
