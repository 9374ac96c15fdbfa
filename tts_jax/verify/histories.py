"""Answers of chains as solutions to be read, each behind its context.

A verifier that reads the history reads what the revision model read: the
prompt, the answers in the context, then the answer that it judges. While a
context only grows, a whole chain is one solution whose steps are its answers.
Another reads each answer alone, behind the prompt.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tts_jax import errors, storage
from tts_jax.store import chains as store
from tts_jax.store import labels, shards

# What is read of a run's chains.
COLUMNS = (
  "question_id",
  "uid",
  "prompt",
  "sample",
  "chain",
  "turn",
  "context",
  "tokens",
  "verdict",
  "finished",
)


@dataclasses.dataclass(frozen=True)
class Reading:
  """Answers to be read in one go.

  Attributes:
    turns: of a chain, in the order in which they are read.
    judged: places in `turns` of those that are judged here.
  """

  turns: tuple[int, ...]
  judged: tuple[int, ...]


def readings(
  contexts: Sequence[Sequence[int]],
  finished: Sequence[bool],
  *,
  history: bool,
) -> list[Reading]:
  """How the answers of a chain are read, each that is whole judged once.

  Args:
    contexts: of each answer, as turns.
    finished: it has its end token.
    history: behind its context; False: alone.
  """
  whole = [turn for turn, done in enumerate(finished) if done]
  if not history:
    return [Reading((turn,), (0,)) for turn in whole]
  found: list[Reading] = []
  for turn in whole:
    context = tuple(contexts[turn])
    if found and found[-1].turns == context:
      found[-1] = Reading((*context, turn), (*found[-1].judged, len(context)))
    else:
      found.append(Reading((*context, turn), (len(context),)))
  return found


def load(
  path: str | os.PathLike[str], *, history: bool
) -> list[labels.Question]:
  """A run's chains as labelled solutions; a label is an answer's verdict.

  Args:
    path: the run's folder.
    history: each answer is read behind its context.

  Raises:
    InputError: there are none, a shard is broken, or some are missing.
  """
  folder = storage.at(path)
  if not (folder / store.SUMMARY).is_file():
    raise errors.InputError(
      f"{folder}: {store.SUMMARY} is missing, so not all chains are there;"
      " start their command again"
    )
  rows = shards.read(folder / store.STAGE, COLUMNS).to_pylist()
  return [_question(chains, history) for chains in by_question(rows)]


def by_question(
  rows: Sequence[Mapping[str, Any]],
) -> Iterator[list[list[Mapping[str, Any]]]]:
  """Rows of the store as answers of chains of questions."""
  found: dict[str, dict[int, list[Mapping[str, Any]]]] = {}
  for row in rows:
    mine = found.setdefault(row["question_id"], {})
    mine.setdefault(row["chain"], []).append(row)
  for chains in found.values():
    yield list(chains.values())


def of_chain(
  chain: Sequence[Mapping[str, Any]], *, history: bool
) -> list[Reading]:
  """How the answers of a chain, as rows of the store, are read."""
  return readings(
    [row["context"] for row in chain],
    [row["finished"] for row in chain],
    history=history,
  )


def tokens(
  chain: Sequence[Mapping[str, Any]], reading: Reading
) -> tuple[tuple[int, ...], tuple[int, ...]]:
  """What is read, and the index past each answer that is judged."""
  read: list[int] = []
  ends = []
  for turn in reading.turns:
    read += chain[turn]["tokens"]
    ends.append(len(read))
  return tuple(read), tuple(ends[place] for place in reading.judged)


def _question(
  chains: Sequence[Sequence[Mapping[str, Any]]], history: bool
) -> labels.Question:
  first = chains[0][0]
  solutions = []
  for chain in chains:
    for reading in of_chain(chain, history=history):
      read, ends = tokens(chain, reading)
      right = [
        chain[reading.turns[place]]["verdict"] == "correct"
        for place in reading.judged
      ]
      nothing, one = np.zeros(len(ends), np.int32), np.ones(len(ends), np.int32)
      solutions.append(
        labels.Solution(
          sample=chain[reading.turns[-1]]["sample"],
          tokens=np.array(read, np.int32),
          logprobs=np.zeros(len(read), np.float32),
          step_end=np.array(ends, np.int32),
          rollouts=nothing,
          rollouts_correct=nothing,
          passing=one,
          passing_correct=np.array(right, np.int32),
        )
      )
  return labels.Question(
    id=first["question_id"],
    uid=first["uid"],
    prompt=np.array(first["prompt"], np.int32),
    solutions=tuple(solutions),
    dropped=0,
  )
