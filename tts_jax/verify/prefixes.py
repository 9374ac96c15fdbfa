"""Where the steps of a question's solutions end, each prefix once."""

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from tts_jax.tasks import automaton


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
  """A solution as the model wrote it.

  Attributes:
    index: of the sample.
    tokens: the completion's, the end token included.
    correct: it states the right answer.
    dropped: why it gets no labels; empty where it gets some.
  """

  index: int
  tokens: tuple[int, ...]
  correct: bool
  dropped: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prefix:
  """The start of a solution, up to the end of one of its steps.

  Attributes:
    tokens: of the completion.
    owner: index of the first sample, not dropped, that begins with them.
    whole: it is all of the owner's solution.
    passing: how many of the question's samples begin with them, those that
      were dropped included.
    passing_correct: how many of these are correct.
  """

  tokens: tuple[int, ...]
  owner: int
  whole: bool
  passing: int
  passing_correct: int

  def uid(self, question_uid: int) -> int:
    """32 bits of the question and the tokens, which seed the rollouts."""
    text = np.array([question_uid, *self.tokens], "<i8").tobytes()
    digest = hashlib.blake2b(text, digest_size=4).digest()
    return int.from_bytes(digest, "little")


def step_ends(
  tokens: Sequence[int], delimiters: automaton.Delimiters
) -> list[int]:
  """Index past the last token of each step, ascending.

  A delimiter belongs to the step that it ends; what follows the last one is a
  step too.
  """
  found = automaton.ending(tokens, delimiters)
  ends = [i for i, ended in enumerate(found, 1) if ended]
  if tokens and ends[-1:] != [len(tokens)]:
    ends.append(len(tokens))
  return ends


def distinct(
  samples: Iterable[Sample], delimiters: automaton.Delimiters
) -> dict[tuple[int, ...], Prefix]:
  """The step prefixes of a question's samples, by their tokens.

  Those that only dropped samples begin with are left out: nobody reads their
  labels. Prefixes come in the order of their owners, shorter ones first.
  """
  samples = list(samples)
  found: dict[tuple[int, ...], Prefix] = {}
  for sample in samples:
    if sample.dropped:
      continue
    for end in step_ends(sample.tokens, delimiters):
      tokens = sample.tokens[:end]
      if tokens not in found:
        found[tokens] = Prefix(
          tokens=tokens,
          owner=sample.index,
          whole=end == len(sample.tokens),
          passing=0,
          passing_correct=0,
        )
  for sample in samples:
    for end in step_ends(sample.tokens, delimiters):
      prefix = found.get(sample.tokens[:end])
      if prefix is not None:
        found[prefix.tokens] = dataclasses.replace(
          prefix,
          passing=prefix.passing + 1,
          passing_correct=prefix.passing_correct + sample.correct,
        )
  return found
