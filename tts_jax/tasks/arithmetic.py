"""Chains of operations, a line a step: for tests and for teaching.

    7*8-13+5=?

    7*8=56
    56-13=43
    43+5=48
    #### 48

Operations are done from left to right, as they are typed into a calculator.
"""

import dataclasses
import hashlib
import itertools
import random
from collections.abc import Callable, Iterator
from typing import ClassVar

from tts_jax import errors
from tts_jax.tasks import base

# Of each hundred chains, by a digest of the text: so no text is in two splits.
_SHARES = {
  "test": range(10),
  "validation": range(10, 20),
  "train": range(20, 100),
}


@dataclasses.dataclass(frozen=True)
class Arithmetic(base.NumericAnswers):
  """A generator of chains; longer ones and larger operands are harder.

  Attributes:
    min_operations: least number of operations of a chain.
    max_operations: greatest number; each number is equally likely.
    max_operand: greatest first number, addend and subtrahend.
    max_factor: greatest factor; the least is 2.
    max_value: bound of every intermediate value; none is below 0.
  """

  min_operations: int = 3
  max_operations: int = 6
  max_operand: int = 99
  max_factor: int = 9
  max_value: int = 999

  name: ClassVar[str] = "arithmetic"
  step_delimiter: ClassVar[str] = "\n"

  def __post_init__(self) -> None:
    if not 1 <= self.min_operations <= self.max_operations:
      raise errors.InputError(
        f"min_operations {self.min_operations} and max_operations"
        f" {self.max_operations} must be 1 or more, in this order"
      )
    if self.max_factor < 2:
      raise errors.InputError(f"max_factor {self.max_factor} must be 2 or more")
    # Small spaces would leave a split without chains.
    if not 20 <= self.max_operand <= self.max_value:
      raise errors.InputError(
        f"max_operand {self.max_operand} must be from 20 to max_value"
        f" {self.max_value}"
      )

  def questions(
    self, split: str, count: int, seed: int = 0
  ) -> Iterator[base.Question]:
    """Yields questions; the i-th depends on the split, the seed and i only.

    Args:
      split: "train", "validation" or "test". No text is in two of them.
      count: number of questions.
      seed: another seed gives other questions of the same split.

    Raises:
      errors.InputError: there is no such split.
    """
    if split not in _SHARES:
      raise errors.InputError(
        f"split {split!r} is unknown; there are {sorted(_SHARES)}"
      )
    return (q for _, q in itertools.islice(self.start(split, 0, seed), count))

  def start(
    self, split: str, index: int, seed: int = 0
  ) -> Iterator[tuple[int, base.Question]]:
    """Yields (index, question) from `index` on, without end."""
    return ((i, self._draw(split, seed, i)) for i in itertools.count(index))

  def prompt(self, question: base.Question) -> str:
    """The chain on a line."""
    return question.text + "\n"

  def completion(self, question: base.Question) -> str:
    """The worked steps and the answer."""
    return question.solution

  def _draw(self, split: str, seed: int, index: int) -> base.Question:
    # Of `Random`, only `random()` is the same in every version of Python.
    draw = random.Random(f"{split}/{seed}/{index}").random
    while True:
      text, steps, value = self._chain(draw)
      digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
      if int.from_bytes(digest, "little") % 100 in _SHARES[split]:
        break
    return base.Question(
      id=f"arithmetic/{split}/{seed}/{index}",
      text=text,
      answer=str(value),
      solution="\n".join([*steps, f"{base.ANSWER_MARK} {value}"]),
      meta={"operations": len(steps)},
    )

  def _chain(self, draw: Callable[[], float]) -> tuple[str, list[str], int]:
    """Draws one chain: its text, its steps and its value."""

    def integer(low: int, high: int) -> int:
      return low + int(draw() * (high - low + 1))

    operations = integer(self.min_operations, self.max_operations)
    value = integer(1, self.max_operand)
    text, steps = str(value), []
    for _ in range(operations):
      # Ranges of the operand that keep the value in its bounds.
      ranges = {
        "+": (1, min(self.max_operand, self.max_value - value)),
        "-": (1, min(self.max_operand, value)),
        "*": (2, min(self.max_factor, self.max_value // max(value, 1))),
      }
      signs = [sign for sign, (low, high) in ranges.items() if low <= high]
      sign = signs[integer(0, len(signs) - 1)]
      operand = integer(*ranges[sign])
      result = _apply(value, sign, operand)
      steps.append(f"{value}{sign}{operand}={result}")
      text += f"{sign}{operand}"
      value = result
    return f"{text}=?", steps, value


def step_is_correct(question: base.Question, completion: str) -> list[bool]:
  """Judges each line of a completion by calculation.

  A step is correct if it does the question's next operation on the true value
  so far, rightly; the answer line, if it states the chain's value. So a step
  that calculates rightly with an earlier mistake is wrong, as it cannot lead to
  the answer. A line after the answer is wrong.

  Args:
    question: an arithmetic question.
    completion: lines, the last of which may be cut off.

  Returns:
    One verdict a line.
  """
  expected = [*question.solution.split("\n")]
  lines = completion.split("\n") if completion else []
  return [
    line == right for line, right in itertools.zip_longest(lines, expected)
  ][: len(lines)]


def _apply(value: int, sign: str, operand: int) -> int:
  match sign:
    case "+":
      return value + operand
    case "-":
      return value - operand
    case _:
      return value * operand
