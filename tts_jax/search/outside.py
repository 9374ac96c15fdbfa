"""Search by a verifier that reads text, outside of the loop.

A published verifier has a tokenizer and a form of text of its own. The loop
draws until every group's round is over; what was drawn goes to the host as
text, the verifier reads the new part of it, and the rounds are closed with its
scores. Its cache follows the beams.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import chex
import jax
import jax.numpy as jnp
import numpy as np

from tts_jax import hosts, types
from tts_jax.decode import engine as decode_engine
from tts_jax.decode import loop as decode_loop
from tts_jax.decode import stream as decode_stream
from tts_jax.model import cache
from tts_jax.search import engine, loop, state, stream
from tts_jax.search import setup as setups
from tts_jax.verify import prefixes

_DECODED = 100_000  # steps whose text is remembered.


class Reader(Protocol):
  """A verifier at work on G questions, N solutions of each."""

  read: Any  # [G] tokens that it has read for each group's question.

  def begin(self, group: int, question: str) -> None:
    """Reads a question."""
    ...

  def follow(self, parents: Mapping[int, Sequence[int]]) -> None:
    """Overwrites solutions by copies: for each row, which it continues."""
    ...

  def score(
    self, asked: Mapping[tuple[int, int], Sequence[str]]
  ) -> dict[tuple[int, int], np.ndarray]:
    """By group and row, the scores of a solution's steps."""
    ...


@dataclasses.dataclass(frozen=True)
class Unread:
  """Stands in the loop for a verifier outside of it: it reads nothing there.

  Attributes:
    reads_tokens: what the loop's ledger is told; what is read outside is
      counted there.
  """

  reads_tokens: bool = False

  def init(self, key: chex.PRNGKey) -> types.Params:
    """There are no parameters."""
    del key
    return {}

  def forward(
    self, params: types.Params, tokens: chex.Array, *rest: Any, **layout: Any
  ) -> chex.Array:
    """Logits [B, T] that mean nothing."""
    del params, rest, layout
    return jnp.zeros(tokens.shape, jnp.float32)

  def prefill(
    self, params: types.Params, prompts: types.Prompts, output: types.Output
  ) -> chex.Array:
    """[Q] zeros: there is nothing to remember."""
    del params, output
    return jnp.zeros(prompts.length.shape, jnp.float32)

  def init_rows(self, questions: int, rows: int, slots: int) -> cache.RowCache:
    """Rows [Q, N] of length 0."""
    return cache.init(questions, rows, slots)

  def decode(
    self,
    params: types.Params,
    prompt_state: chex.Array,
    rows: cache.RowCache,
    *rest: Any,
  ) -> tuple[chex.Array, cache.RowCache]:
    """Logits [Q, N] that mean nothing; every row one token longer."""
    del params, prompt_state, rest
    return jnp.zeros(rows.length.shape, jnp.float32), cache.advance(rows)


def make(
  weights: types.Params,
  setup: setups.Setup,
  reader: Callable[[int], Reader],
  *,
  decode: Callable[[Sequence[int]], str],
  rows: int,
  prompt_tokens: int,
  steps: int,
  compiler: decode_engine.Compile,
) -> Callable[[chex.PRNGKey], engine.Search]:
  """As `engine.make`, for a verifier that reads text.

  Args:
    weights: of the model that draws.
    setup: the search; its verifier is `Unread`.
    reader: from G to the verifier, with room for G questions of N solutions.
    decode: from tokens of the model to text.
    rows: as for `engine.make`.
    prompt_tokens: as for `engine.make`.
    steps: as for `engine.make`.
    compiler: as for `engine.make`.
  """
  both = setups.Weights(lm=weights, verifier={})
  run, close = programs(
    both,
    setup,
    rows=rows,
    prompt_tokens=prompt_tokens,
    steps=steps,
    compiler=compiler,
  )
  groups = max(1, rows // setup.rounds.n)
  text = functools.lru_cache(_DECODED)(decode)

  def begin(key: chex.PRNGKey) -> engine.Search:
    def search(
      requests: Iterable[decode_stream.Request],
    ) -> Iterator[stream.Result]:
      judge = reader(groups)

      def chunk(
        weights: setups.Weights, held: state.SearchState, key: chex.PRNGKey
      ) -> tuple[state.SearchState, decode_loop.Usage]:
        held, usage = run.chunk(weights, held, key)
        asked = _asked(held, setup, text)
        if asked is not None:
          judge.follow(_parents(held))
          held = close(held, *_scores(judge, asked, held))
        return held, usage

      yield from stream.stream(
        both,
        run.placed.begin(),
        requests,
        key,
        admit=run.admit,
        chunk=chunk,
        collect=run.collect,
        prompt_tokens=prompt_tokens,
        admitted=lambda group, one: judge.begin(group, one.text),
        scored=lambda group: int(judge.read[group]),
      )

    return search

  return begin


def programs(
  weights: setups.Weights, setup: setups.Setup, **sizes: Any
) -> tuple[engine.Programs, Any]:
  """What `make` runs: as `engine.programs`, and `loop.close_rounds`."""
  run = engine.programs(weights, setup, **sizes, chunk=loop.draw_chunk)
  close = functools.partial(loop.close_rounds, setup=run.setup)
  return run, run.placed.keeps(close, argument=0)


def _parents(held: state.SearchState) -> dict[int, list[int]]:
  """Of each group at work, which row of the round before each continues."""
  progress = held.progress
  at = jnp.minimum(progress.round, progress.parent.shape[1] - 1)
  now = jnp.take_along_axis(progress.parent, at[:, None, None], axis=1)[:, 0]
  parents, working = hosts.whole((now, progress.working))
  row = np.arange(parents.shape[1])
  # A row left empty continues nothing.
  parents = np.where(parents < 0, row, parents)
  return {int(g): parents[g].tolist() for g in np.flatnonzero(working)}


def _asked(
  held: state.SearchState,
  setup: setups.Setup,
  text: Callable[[tuple[int, ...]], str],
) -> dict[tuple[int, int], list[str]] | None:
  """The steps of the rows that drew one; None while some still draw."""
  progress = held.progress
  beams, rollout = progress.beams, progress.rollout
  working, drawing, alive, begun, length, count, finished = hosts.whole(
    (
      progress.working,
      loop.at_work(held),
      progress.alive,
      progress.begun,
      beams.length,
      beams.step_count,
      beams.finished,
    )
  )
  if drawing.any() or not working.any():
    return None
  tokens, ends = hosts.whole((beams.tokens, beams.step_end))
  ahead = np.zeros_like(length)
  if rollout is not None:
    goes_on = ~finished & (length < setup.limits.max_tokens)
    ahead = np.where(goes_on, hosts.whole(rollout.tokens), 0)
  asked = {}
  for group, row in np.argwhere(working[:, None] & alive & (length > begun)):
    cuts = [0, *ends[group, row, : count[group, row]].tolist()]
    whole = tokens[group, row, : cuts[-1] + ahead[group, row]].tolist()
    if rolled := whole[cuts[-1] :]:
      ends_ahead = prefixes.step_ends(rolled, setup.delimiters)
      cuts += [cuts[-1] + end for end in ends_ahead]
    steps = [text(tuple(whole[a:b])) for a, b in itertools.pairwise(cuts)]
    asked[int(group), int(row)] = steps
  return asked


def _scores(
  judge: Reader,
  asked: Mapping[tuple[int, int], Sequence[str]],
  held: state.SearchState,
) -> tuple[chex.Array, chex.Array]:
  """[G, N] scores of the last steps, and which rows have one."""
  shape = held.progress.alive.shape
  score, scored = np.zeros(shape, np.float32), np.zeros(shape, bool)
  for place, values in judge.score(asked).items():
    score[place], scored[place] = values[-1], True
  return tuple(jax.device_put((score, scored)))
