"""Scores of whole solutions, every step of each in one pass."""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import chex
import jax
import numpy as np

from tts_jax import hosts, types
from tts_jax.model import head
from tts_jax.verify import reward, solutions

# (params, batch) -> logits [B, T], of what `read` gives with its models.
Read = Callable[[types.Params, solutions.Batch], chex.Array]


def read(
  params: types.Params,
  batch: solutions.Batch,
  lm: types.LanguageModel,
  verifier: reward.RewardModel,
  *,
  dropout_key: chex.PRNGKey | None = None,
) -> tuple[head.Reading, chex.Array]:
  """Reads packed solutions.

  Args:
    params: {"model": the generator's} beside the verifier's own.
    batch: [B, T].
    lm: the generator, whose states and log-probabilities the verifier reads.
    verifier: gives the logits.
    dropout_key: consumed; None turns dropout off.

  Returns:
    (the verifier's reading, the generator's log-probabilities), [B, T]: at each
    slot, of the token that it draws.
  """
  layout: Any = dict(
    positions=batch.positions, segments=batch.segments, parents=batch.parents
  )
  output = lm.forward(params["model"], batch.tokens, **layout)
  logprob = output.logprob(batch.drawn)
  reading = verifier.read(
    params,
    batch.tokens,
    output,
    batch.drawn,
    # Surprise is read off the generator, which is not trained through it.
    jax.lax.stop_gradient(logprob),
    dropout_key=dropout_key,
    **layout,
  )
  return reading, logprob


def score(
  params: types.Params,
  questions: Iterable[solutions.Question],
  *,
  read_logits: Read,
  rows: int,
  length: int,
) -> Iterator[list[np.ndarray]]:
  """Scores every step of every solution, question by question, in order.

  Args:
    params: as for `read`.
    questions: (prompt, solutions), the solutions' labels unused.
    read_logits: compiled.
    rows: B, of a pass.
    length: T, of a row: at least a prompt with its longest completion.

  Yields:
    For each question, for each of its solutions, [R] float32 probabilities,
    one a step.

  Raises:
    InputError: a prompt and a completion have more than T tokens together.
  """
  waiting: list[tuple[list[solutions.Solution], list[np.ndarray | None]]] = []
  first = 0  # index, along the stream, of the first solution that waits

  def remember() -> Iterator[solutions.Question]:
    for prompt, mine in questions:
      waiting.append((list(mine), [None] * len(mine)))
      yield prompt, mine

  def whole() -> Iterator[list[np.ndarray]]:
    nonlocal first
    while waiting and all(one is not None for one in waiting[0][1]):
      _, found = waiting.pop(0)
      first += len(found)
      yield [one for one in found if one is not None]

  for batch, places in solutions.packed(remember(), rows=rows, length=length):
    # A score is needed where a step ends, and nowhere else.
    logits = hosts.whole(read_logits(params, jax.device_put(batch)))
    probability = 1 / (1 + np.exp(-logits.astype(np.float64)))
    question, offset = 0, first
    for place in sorted(places, key=lambda place: place.index):
      while place.index - offset >= len(waiting[question][0]):
        offset += len(waiting[question][0])
        question += 1
      mine, found = waiting[question]
      at = place.index - offset
      ends = place.start + np.asarray(mine[at].step_end, np.int64) - 1
      found[at] = probability[place.row, ends].astype(np.float32)
    yield from whole()
  yield from whole()


def scorer(
  params: types.Params,
  lm: types.LanguageModel,
  verifier: reward.RewardModel,
  *,
  rows: int,
  length: int,
  compiler: Callable[..., Any],
) -> Callable[[Iterable[solutions.Question]], Iterator[list[np.ndarray]]]:
  """`score` with its models, compiled once.

  Args:
    params: as for `read`.
    lm: the generator.
    verifier: gives the scores.
    rows: B, of a pass.
    length: T, of a row.
    compiler: `jax.jit`.
  """

  def logits(params: types.Params, batch: solutions.Batch) -> chex.Array:
    return read(params, batch, lm, verifier)[0].logit

  return functools.partial(
    score, params, read_logits=compiler(logits), rows=rows, length=length
  )
