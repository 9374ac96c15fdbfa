"""Scores of solutions that are given as texts, step by step.

A published verifier reads them in its own format; one of this project's own as
if its generator had written them: one step a line, or whatever ends a step.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import chex
import jax
import numpy as np
import pyarrow as pa

from tts_jax import errors, types
from tts_jax.decode import pools
from tts_jax.store import shards, step_scores
from tts_jax.tasks import base, processbench, tokenization
from tts_jax.verify import (
  choosing,
  formats,
  pool_scores,
  prefixes,
  published,
  solutions,
)

# Lengths of passes are this and its doubles: few to compile.
_LEAST = 128

# A prompt's tokens and a solution behind them.
_Own = tuple[Sequence[int], solutions.Solution]


class Read(NamedTuple):
  """A solution that a verifier has read.

  Attributes:
    scores: [R] float32, probabilities, one a step.
    tokens: that were read.
  """

  scores: np.ndarray
  tokens: int


@dataclasses.dataclass(frozen=True)
class Scorer:
  """A verifier at work.

  Attributes:
    encode: a solution as the verifier reads it, or an InputError where it is
      too long or cannot be written so.
    read: scores of what `encode` gave.
  """

  encode: Callable[[processbench.Sample], Any]
  read: Callable[[Sequence[Any]], list[Read]]


def by_published(
  prm: published.Published, *, rows: int, compiler: Callable[..., Any]
) -> Scorer:
  """Scores by a published verifier, in one pass over whole texts.

  What it gives is what `published.score` does.

  Args:
    prm: the verifier, its parameters on the device.
    rows: solutions of a pass; those of like length share one.
    compiler: `jax.jit`.

  Raises:
    InputError: fewer than 1 row.
  """
  if rows < 1:
    raise errors.InputError(f"rows is {rows}; it must be at least 1")
  longest = prm.lm.config.max_positions

  def encode(sample: processbench.Sample) -> formats.Encoded:
    found = prm.format.encode(sample.problem, sample.steps)
    if len(found.tokens) > longest:
      raise errors.InputError(
        f"solution {sample.id!r} has {len(found.tokens)} tokens in the"
        f" verifier's format; the verifier has {longest} positions"
      )
    return found

  def probabilities(params: types.Params, tokens: chex.Array) -> chex.Array:
    hidden = prm.lm.forward(params["backbone"], tokens).hidden
    return prm.probability(params["head"], hidden)

  compiled = compiler(probabilities)

  def read(texts: Sequence[formats.Encoded]) -> list[Read]:
    sizes = [len(text.tokens) for text in texts]
    order = sorted(range(len(texts)), key=lambda at: sizes[at])
    found: dict[int, Read] = {}
    for first in range(0, len(order), rows):
      mine = order[first : first + rows]
      room = max(_LEAST, 2 ** (sizes[mine[-1]] - 1).bit_length())
      # What stands behind a text is not seen by it.
      tokens = np.zeros((rows, min(room, longest)), np.int32)
      for row, at in enumerate(mine):
        tokens[row, : sizes[at]] = texts[at].tokens
      values = compiled(prm.params, jax.device_put(tokens))
      values = np.asarray(values, np.float32)
      for row, at in enumerate(mine):
        found[at] = Read(values[row, texts[at].ends], sizes[at])
    return [found[at] for at in range(len(texts))]

  return Scorer(encode, read)


def by_own(
  score: pool_scores.Score,
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  *,
  prompt_tokens: int,
  max_tokens: int,
) -> Scorer:
  """Scores by a verifier of this project's own.

  A delimiter inside a step is written as a space, for it would end the step;
  the last step ends with the completion.

  Args:
    score: as `scoring.scorer` makes it.
    task: states prompts, and says what ends a step.
    tokenizer: of the generator.
    prompt_tokens: of a problem with its prompt, at most.
    max_tokens: of a solution, at most.

  Raises:
    InputError: as `tokenizer.delimiters`.
  """
  end = task.step_delimiter
  delimiters = tokenizer.delimiters(end)

  def encode(sample: processbench.Sample) -> _Own:
    question = base.Question(id=sample.id, text=sample.problem, answer="")
    prompt = pools.request(question, task, tokenizer).tokens
    parts = [map(str.strip, step.split(end)) for step in sample.steps]
    steps = [" ".join(filter(None, mine)) for mine in parts]
    tokens = [*tokenizer.encode(end.join(steps)), tokenizer.end_token]
    for name, size, most in (
      ("prompt_tokens", len(prompt), prompt_tokens),
      ("max_tokens", len(tokens), max_tokens),
    ):
      if size > most:
        raise errors.InputError(
          f"solution {sample.id!r} has {size} tokens where"
          f" config.limits.{name} is {most}"
        )
    ends = prefixes.step_ends(tokens, delimiters)
    if len(ends) != len(steps):
      raise errors.InputError(
        f"solution {sample.id!r} has {len(steps)} steps, but in the generator's"
        f" tokens {end!r} ends {len(ends)}"
      )
    return prompt, solutions.Solution(tokens=tokens, step_end=ends)

  def read(texts: Sequence[_Own]) -> list[Read]:
    found = score([(prompt, [solution]) for prompt, solution in texts])
    return [
      Read(scores, len(prompt) + len(solution.tokens))
      for (prompt, solution), (scores,) in zip(texts, found, strict=True)
    ]

  return Scorer(encode, read)


def fill(
  stage: shards.Stage,
  samples: Sequence[processbench.Sample],
  scorer: Scorer,
  *,
  batch: int,
) -> Iterator[tuple[int, int]]:
  """Scores the solutions whose shards are not there yet.

  Args:
    stage: with the schema of `step_scores`.
    samples: all of the file's, in its order.
    scorer: the verifier.
    batch: solutions a shard.

  Yields:
    After each shard, how many solutions are in it, and how many tokens were
    read of them.

  Raises:
    InputError: the batch is below 1; as the scorer, before anything is read;
      a score is NaN, when the shards before it are written.
  """
  if batch < 1:
    raise errors.InputError(f"batch is {batch}; it must be at least 1")
  todo = {
    first // batch: samples[first : first + batch]
    for first in range(0, len(samples), batch)
    if first // batch not in stage.done()
  }
  texts = {n: [scorer.encode(one) for one in todo[n]] for n in todo}
  for number, mine in todo.items():
    found = scorer.read(texts[number])
    for one, read in zip(mine, found, strict=True):
      choosing.check_scores([one.id], np.asarray(read.scores)[None])
    rows = [
      {"id": one.id, "step_scores": read.scores, "tokens": read.tokens}
      for one, read in zip(mine, found, strict=True)
    ]
    stage.write(number, pa.Table.from_pylist(rows, step_scores.SCHEMA))
    yield len(mine), sum(read.tokens for read in found)
