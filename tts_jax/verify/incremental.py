"""Scores of growing solutions, each token of them read once.

`G` questions at a time, `N` solutions of each. What the verifier has read of a
solution stays in its cache: when the solution grows, the new tokens alone are
read; when it is given up for a copy of another, so is its row of the cache.
A tokenizer may write the end of a text in another way once it goes on: then the
row goes back to where the two ways part. What comes out is what the verifier
would say of the whole text.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import jax
import numpy as np

from tts_jax import errors, hosts
from tts_jax.verify import published, reading
from tts_jax.verify import solutions as solutions_lib

# The fewest tokens of a pass; more are in steps of powers of two, so that
# there are few passes to compile.
_LEAST = 16
# Steps that no solution begins with: what two of them share is the prompt.
_PROBES = ("a", "1", "(")


@dataclasses.dataclass
class _Row:
  """What has been read of one solution.

  Attributes:
    tokens: all of them, the question's among them.
    shared: how many of them it reads from the question's part of the cache.
    scores: at each place at which a step ended.
  """

  tokens: list[int]
  shared: int
  scores: dict[int, float]

  def copy(self) -> "_Row":
    return _Row(list(self.tokens), self.shared, dict(self.scores))


class Asked(Protocol):
  """A question, or a request of it."""

  @property
  def text(self) -> str:
    """Of the question, without any prompt."""
    ...


class Reader:
  """A published verifier at work on some questions.

  Attributes:
    read: [G] int64, tokens that each group's question has cost so far: of the
      prompt, and of solutions.
  """

  def __init__(
    self,
    prm: published.Published,
    *,
    groups: int,
    rows: int,
    prompt_tokens: int,
    row_tokens: int,
    compiler: Callable[..., Any],
  ) -> None:
    """Makes room.

    Args:
      prm: the verifier, its parameters on the device.
      groups: G.
      rows: N.
      prompt_tokens: of a question in the verifier's format, at most.
      row_tokens: of a solution, at most.
      compiler: `jax.jit`.

    Raises:
      errors.InputError: together they exceed the verifier's positions.
    """
    longest = prm.lm.config.max_positions
    if prompt_tokens + row_tokens > longest:
      raise errors.InputError(
        f"config.prm: prompt_tokens, {prompt_tokens}, and row_tokens,"
        f" {row_tokens}, exceed the verifier's {longest} positions"
      )
    self._prm = prm
    self._room = row_tokens
    self._longest = prompt_tokens
    self.read = np.zeros(groups, np.int64)
    self._rows = [[_Row([], 0, {}) for _ in range(rows)] for _ in range(groups)]
    self._question = [""] * groups
    run = reading.programs(
      prm.params,
      reading.Static(prm.lm, prm.probability),
      groups=groups,
      rows=rows,
      prompt_tokens=prompt_tokens,
      row_tokens=row_tokens,
      compiler=compiler,
    )
    self._cache, self._state = run.rows.begin(), run.prompts.begin()
    self._admit, self._extend, self._copy = run.admit, run.extend, run.copy

  def begin(self, group: int, question: str) -> None:
    """Reads a question, in whose place nothing else is read any more.

    Raises:
      errors.InputError: it is longer than there is room for.
    """
    probes = [self._prm.format.encode(question, [p]).tokens for p in _PROBES]
    prompt = _shared(*probes)
    if len(prompt) > self._longest:
      raise errors.InputError(
        f"the question has {len(prompt)} tokens in the verifier's format;"
        f" config.prm.prompt_tokens is {self._longest}"
      )
    self._question[group] = question
    for row in range(len(self._rows[group])):
      self._rows[group][row] = _Row(list(prompt), len(prompt), {})
    self.read[group] = len(prompt)
    tokens = np.zeros((1, self._longest), np.int32)
    tokens[0, : len(prompt)] = prompt
    self._state = self._admit(
      self._state,
      self._prm.params["backbone"],
      *jax.device_put((np.int32(group), tokens, np.int32(len(prompt)))),
    )

  def follow(self, parents: Mapping[int, Sequence[int]]) -> None:
    """Overwrites solutions by copies of others of their question.

    Args:
      parents: of some groups, for each of N rows which one it continues; a row
        that another continues continues itself.
    """
    G, N = len(self._rows), len(self._rows[0])
    moves = np.tile(np.arange(N, dtype=np.int32), (G, 1))
    for group, mine in parents.items():
      moves[group] = mine
      before = self._rows[group]
      self._rows[group] = [
        before[row] if parent == row else before[parent].copy()
        for row, parent in enumerate(mine)
      ]
    if (moves != np.arange(N)).any():
      self._cache = self._copy(self._cache, jax.device_put(moves))

  def score(
    self, asked: Mapping[tuple[int, int], Sequence[str]]
  ) -> dict[tuple[int, int], np.ndarray]:
    """Scores solutions, reading what has not been read of them.

    Args:
      asked: by group and row, the steps of a solution, one at least.

    Returns:
      For each, [R] float32 probabilities, one a step.

    Raises:
      errors.InputError: a solution is longer than there is room for.
    """
    ends: dict[tuple[int, int], list[int]] = {}
    todo: dict[tuple[int, int], list[int]] = {}
    for (group, row), steps in asked.items():
      found = self._prm.format.encode(self._question[group], steps)
      mine = self._rows[group][row]
      kept = len(_shared(found.tokens, mine.tokens))
      # A step whose score was not kept is read again, from its end on.
      lost = [
        end for end in found.ends if end < kept and end not in mine.scores
      ]
      kept = min([kept, *lost])
      mine.shared = min(mine.shared, kept)
      mine.scores = {end: p for end, p in mine.scores.items() if end < kept}
      mine.tokens = found.tokens
      if len(found.tokens) - mine.shared > self._room:
        raise errors.InputError(
          f"a solution has {len(found.tokens) - mine.shared} tokens in the"
          f" verifier's format; config.prm.row_tokens is {self._room}"
        )
      ends[group, row], todo[group, row] = found.ends, found.tokens[kept:]
    self._read(todo)
    return {
      (group, row): np.array(
        [self._rows[group][row].scores[end] for end in places], np.float32
      )
      for (group, row), places in ends.items()
    }

  def _read(self, todo: Mapping[tuple[int, int], list[int]]) -> None:
    """One pass over the new tokens of all rows."""
    G, N = len(self._rows), len(self._rows[0])
    longest = max(map(len, todo.values()), default=0)
    if not longest:
      return
    T = max(_LEAST, 2 ** (longest - 1).bit_length())
    tokens = np.zeros((G, N, T), np.int32)
    count = np.zeros((G, N), np.int32)
    length = np.zeros((G, N), np.int32)
    shared = np.zeros((G, N), np.int32)
    for group, row in itertools.product(range(G), range(N)):
      one = self._rows[group][row]
      new = todo.get((group, row), [])
      tokens[group, row, : len(new)] = new
      count[group, row], shared[group, row] = len(new), one.shared
      length[group, row] = len(one.tokens) - one.shared - len(new)
    layout = jax.device_put((shared, length, tokens, count))
    self._cache, found = self._extend(
      self._cache, self._prm.params, self._state, *layout
    )
    probability = hosts.whole(found)
    for (group, row), new in todo.items():
      one = self._rows[group][row]
      self.read[group] += len(new)
      start = len(one.tokens) - len(new)
      values = probability[group, row, : len(new)].tolist()
      one.scores |= {start + at: value for at, value in enumerate(values)}


def _shared(*texts: Sequence[int]) -> list[int]:
  """The tokens that all begin with."""
  columns = zip(*texts, strict=False)
  alike = itertools.takewhile(lambda each: len(set(each)) == 1, columns)
  return [each[0] for each in alike]


def score_pool(
  asked: Iterable[tuple[Asked, Any, Sequence[solutions_lib.Solution]]],
  *,
  make: Callable[[int, int], Reader],
  decode: Callable[[Sequence[int]], str],
  rows: int,
) -> Iterator[list[np.ndarray]]:
  """Scores every step of every solution, question by question, in order.

  A question is read once, its solutions `rows` at a time.

  Args:
    asked: (question, prompt, solutions); prompts are not looked at.
    make: from G and N to a reader.
    decode: from tokens of the model to text.
    rows: solutions of a pass.

  Yields:
    As `scoring.score`.
  """
  reader = make(1, rows)
  for question, _, solutions in asked:
    found: list[np.ndarray] = []
    for first in range(0, len(solutions), rows):
      # Anew, so that no solution is taken for what grew from another.
      reader.begin(0, question.text)
      mine = solutions[first : first + rows]
      texts = {
        (0, row): [
          decode([int(token) for token in one.tokens[start:end]])
          for start, end in itertools.pairwise([0, *one.step_end])
        ]
        for row, one in enumerate(mine)
      }
      scores = reader.score(texts)
      found += [scores[0, row] for row in range(len(mine))]
    yield found
