"""Where strings end in a text that comes as tokens.

A tokenizer merges as it likes: a blank line may be one token, two, or the end
of one that begins with a full stop. Whether one has just ended, the bytes of
the token tell, and how much of one the text before it ends with: a state of few
values. So the rule is a table, exact over any sequence of tokens, for the host
and for `jit` alike.

The automaton is that of Knuth, Morris and Pratt, of several strings that of Aho
and Corasick. Strings do not overlap: behind one it begins anew.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from tts_jax import errors


@dataclasses.dataclass(frozen=True)
class Automaton:
  """The rule as tables over V tokens and S states; it begins in state 0.

  Automata of equal tables are equal, and hash alike: static under `jit`.

  Attributes:
    digest: of the tables.
    following: [V, S] int32, the state after each token.
    ends: [V, S] bool, a string ends in the token.
  """

  digest: str
  following: np.ndarray = dataclasses.field(compare=False, repr=False)
  ends: np.ndarray = dataclasses.field(compare=False, repr=False)

  @property
  def vocabulary(self) -> int:
    """V; tokens from there on are no text."""
    return len(self.ends)

  @property
  def alone(self) -> frozenset[int]:
    """Tokens in whose own text a string ends."""
    return frozenset(np.flatnonzero(self.ends[:, 0]).tolist())

  def read(
    self, tokens: Iterable[int], state: int = 0
  ) -> tuple[list[bool], int]:
    """Reads tokens.

    Args:
      tokens: of a text, or of what follows in it.
      state: before them.

    Returns:
      (whether a string ends in each token, the state after all).
    """
    found = []
    for token in tokens:
      known = token < self.vocabulary
      found.append(known and bool(self.ends[token, state]))
      state = int(self.following[token, state]) if known else state
    return found, state


# What ends a step: single tokens, or a rule where one token does not tell.
Delimiters = frozenset[int] | Automaton


def ending(tokens: Sequence[int], delimiters: Delimiters) -> list[bool]:
  """Whether a delimiter ends in each token of a completion."""
  if isinstance(delimiters, Automaton):
    return delimiters.read(tokens)[0]
  return [token in delimiters for token in tokens]


def containing(delimiters: Delimiters) -> frozenset[int]:
  """Tokens that end a step wherever they stand."""
  return delimiters.alone if isinstance(delimiters, Automaton) else delimiters


def build(strings: Sequence[bytes], pieces: Sequence[bytes]) -> Automaton:
  """The automaton of some strings over a vocabulary.

  Args:
    strings: to be found.
    pieces: bytes of each token, [V].

  Raises:
    InputError: there is no string, or one is empty.
  """
  if not strings or not all(strings):
    raise errors.InputError(
      f"strings to be found are {list(strings)}; there must be one, and none"
      " may be empty"
    )
  step, hit = _byte_tables(tuple(strings))
  S, longest = len(step), max(map(len, pieces), default=0)
  text = np.zeros((len(pieces), longest), np.uint8)
  for row, piece in zip(text, pieces, strict=True):
    row[: len(piece)] = np.frombuffer(piece, np.uint8)
  length = np.array([len(piece) for piece in pieces])
  following = np.tile(np.arange(S, dtype=np.int32), (len(pieces), 1))
  ends = np.zeros(following.shape, bool)
  for at in range(longest):
    here = np.flatnonzero(length > at)
    state, byte = following[here], text[here, at, None]
    ends[here] |= hit[state, byte]
    following[here] = step[state, byte]
  digest = hashlib.sha256(following.tobytes() + ends.tobytes()).hexdigest()
  return Automaton(digest, following, ends)


@functools.lru_cache(maxsize=8)
def _byte_tables(strings: tuple[bytes, ...]) -> tuple[np.ndarray, np.ndarray]:
  """[S, 256] int32, the state after a byte, and bool, a string ends with it.

  A state is the longest end of the text that a string begins with.
  """
  beginnings = {one[:size] for one in strings for size in range(len(one))}
  # One in which another string ends is never met.
  met = {one for one in beginnings if not any(s in one for s in strings)}
  states = sorted(met, key=lambda one: (len(one), one))
  number = {one: at for at, one in enumerate(states)}
  step = np.zeros((len(states), 256), np.int32)
  hit = np.zeros(step.shape, bool)
  for at, state in enumerate(states):
    for byte in range(256):
      text = state + bytes([byte])
      hit[at, byte] = text.endswith(strings)
      if not hit[at, byte]:
        tails = (text[start:] for start in range(len(text) + 1))
        step[at, byte] = next(number[one] for one in tails if one in number)
  return step, hit
