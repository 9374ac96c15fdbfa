"""True verdicts on the steps of a word problem's solution.

An oracle for measuring a process reward model, as human labels are in
ProcessBench. The solutions of a template follow one plan, line for line, so a
line is judged by the values that it states; who ate the pears, and in which
currency, is not.
"""

import collections
import fractions
import itertools
import re
from collections.abc import Iterator, Sequence

from tts_jax.tasks import base, gsm_symbolic

_NUMBER = r"\d+(?:\.\d+)?"
# A sign inside a word, as in "boys/girl" or "303-page", is no operation.
_TOKEN = re.compile(
  rf"(?P<number>{_NUMBER})"
  r"|(?P<sign>[*+\u00d7\u00f7]|(?<![A-Za-z])[-/](?![A-Za-z])"
  r"|\bx\b|(?<=\d)x(?=\d))"
  r"|(?P<word>[A-Za-z]+(?:[-/'][A-Za-z]+)*)"
  r"|(?P<stop>[,.:;!?])"
)


def step_is_correct(question: base.Question, completion: str) -> list[bool]:
  """Judges each line of a completion by the question's worked solution.

  A step is correct if it states the same values as that line of the worked
  solution, each as often, and every equation that can be read in it holds; the
  answer line, if it states the answer. So a step that calculates rightly with
  an earlier mistake is wrong, as is a true step that is not the next one, and
  whatever follows the answer. Where the worked solution rounds (13*0.5=6), its
  own equation is taken as it is.

  Args:
    question: with a worked solution.
    completion: lines, the last of which may be cut off.

  Returns:
    One verdict a line.
  """
  expected = question.solution.split("\n")
  lines = completion.split("\n") if completion else []
  return [
    line is not None and right is not None and _agrees(line, right)
    for line, right in itertools.zip_longest(lines, expected)
  ][: len(lines)]


def equations_hold(line: str) -> bool:
  """Whether no equation of a line is false, by exact fractions.

  Words beside numbers are units; punctuation, or a number that follows another
  with only words between, begins a new expression. What cannot be read so
  ("half * 82", or parentheses) is not judged.
  """
  if "(" in line or ")" in line:
    return True
  sides = [_expressions(side) for side in line.split("=")]
  for left, right in itertools.pairwise(sides):
    # None, an expression that cannot be read, agrees with everything.
    ends = {left[-1], right[0]} - {None} if left and right else set()
    if len(ends) == 2:
      return False
  return True


def _agrees(line: str, expected: str) -> bool:
  if expected.startswith(base.ANSWER_MARK):
    stated, answer = base.marked_answer(line), base.marked_answer(expected)
    if stated is None or answer is None:
      return False
    value = base.parse_number(stated)
    return value is not None and value == base.parse_number(answer)
  return (
    not line.startswith(base.ANSWER_MARK)
    and _values(line) == _values(expected)
    and (equations_hold(line) or not equations_hold(expected))
  )


def _values(line: str) -> collections.Counter[fractions.Fraction]:
  found = re.findall(_NUMBER, gsm_symbolic.plain_numbers(line))
  return collections.Counter(fractions.Fraction(text) for text in found)


def _expressions(text: str) -> list[fractions.Fraction | None]:
  """The values of a text's expressions in order, None for an unreadable one."""
  return [_value(tokens) for tokens in _runs(gsm_symbolic.plain_numbers(text))]


def _runs(text: str) -> Iterator[list[str]]:
  """Yields the numbers and signs of each expression."""
  run: list[str] = []
  after_sign = False
  for match in _TOKEN.finditer(text):
    kind = match.lastgroup
    if run and not after_sign and kind in ("number", "stop"):
      yield run
      run = []
    if kind in ("number", "sign"):
      run.append(match[0])
    elif after_sign:
      # No number where one should stand, so the run will be unreadable.
      run.append("")
    after_sign = kind == "sign"
  if run:
    yield run


def _value(tokens: Sequence[str]) -> fractions.Fraction | None:
  numbers, signs = tokens[::2], tokens[1::2]
  if len(numbers) != len(signs) + 1:
    return None
  if not all(re.fullmatch(_NUMBER, each) for each in numbers):
    return None
  # Products and quotients first, each collected into the latest term.
  terms = [fractions.Fraction(numbers[0])]
  for sign, text in zip(signs, numbers[1:], strict=True):
    number = fractions.Fraction(text)
    match sign:
      case "+":
        terms.append(number)
      case "-":
        terms.append(-number)
      case "/" | "÷":
        if not number:
          return None
        terms[-1] /= number
      case _:
        terms[-1] *= number
  return sum(terms, fractions.Fraction(0))
