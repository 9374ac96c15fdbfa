"""The texts that published process reward models read, and where they score.

Each was trained on texts of a form of its own. A format writes a question and
the steps of a solution as tokens, and says at which of them the score of each
step is read.
"""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

from tts_jax import errors
from tts_jax.tasks import chat, tokenization


@dataclasses.dataclass(frozen=True)
class Encoded:
  """A solution as a verifier reads it.

  Attributes:
    tokens: up to where the last step is scored.
    ends: of each step, the index of the token at which its score is read.
  """

  tokens: list[int]
  ends: list[int]


class Format(Protocol):
  """A form of texts."""

  @property
  def name(self) -> str:
    """As a config names it."""
    ...

  def encode(self, question: str, steps: Sequence[str]) -> Encoded:
    """A solution of one step or more.

    Args:
      question: without any prompt around it.
      steps: what white space stands around them is left out.
    """
    ...


def _separator(tokenizer: tokenization.Tokenizer, text: str) -> int:
  """The one token that is `text`.

  Raises:
    errors.InputError: there is none.
  """
  found = tokenizer.backend.token_to_id(text)
  if found is None:
    raise errors.InputError(
      f"the verifier's tokenizer has no token {text!r}, at which scores are"
      " read; is it of this format?"
    )
  return found


def _last(tokenizer: tokenization.Tokenizer, text: str) -> int:
  """The last token of a short text, as the published code finds it.

  Raises:
    errors.InputError: it has none, or it does not stand for the text.
  """
  tokens = tokenizer.encode(text)
  if not tokens or tokenizer.decode(tokens[-1:]).strip() != text.strip():
    raise errors.InputError(
      f"the verifier's tokenizer has no single token for {text!r}, which its"
      " format needs; is it of this format?"
    )
  return tokens[-1]


@dataclasses.dataclass(frozen=True)
class QwenMath:
  """Qwen2.5-Math-PRM (Zhang et al. 2025): a separator behind each step.

  Attributes:
    tokenizer: the verifier's.
    template: of its chat.
    system: what the system says in it.
    separator: the text of the token at which scores are read.
  """

  tokenizer: tokenization.Tokenizer
  template: chat.ChatTemplate
  system: str = (
    "Please reason step by step, and put your final answer within \\boxed{}."
  )
  separator: str = "<extra_0>"
  name: str = "qwen_math"

  def __post_init__(self) -> None:
    _separator(self.tokenizer, self.separator)

  def encode(self, question: str, steps: Sequence[str]) -> Encoded:
    """A chat in which the assistant says the steps."""
    mark = self.separator
    clean = [step.replace(mark, "").strip() for step in steps]
    messages = [
      {"role": "system", "content": self.system},
      {"role": "user", "content": question.replace(mark, "")},
      {"role": "assistant", "content": "".join(one + mark for one in clean)},
    ]
    text = self.template.render(messages, add_generation_prompt=False)
    return _up_to_marks(
      self.tokenizer.encode(text), _separator(self.tokenizer, mark), steps
    )


@dataclasses.dataclass(frozen=True)
class MathShepherd:
  """Math-Shepherd (Wang et al. 2024): a tag behind each numbered step.

  Attributes:
    tokenizer: the verifier's.
    tag: its last token is the one at which scores are read.
  """

  tokenizer: tokenization.Tokenizer
  tag: str = "ки"
  name: str = "math_shepherd"

  def __post_init__(self) -> None:
    _last(self.tokenizer, self.tag)

  def encode(self, question: str, steps: Sequence[str]) -> Encoded:
    """Question and steps as plain text, the tag at the end of each line."""
    lines = []
    for number, step in enumerate(steps, 1):
      clean = step.replace(self.tag, "").strip()
      lead = "" if clean.startswith("Step ") else f"Step {number}: "
      lines.append(f"{lead}{clean} {self.tag}")
    text = question.replace(self.tag, "") + " " + "\n".join(lines)
    return _up_to_marks(
      self.tokenizer.encode_prompt(text), _last(self.tokenizer, self.tag), steps
    )


def _up_to_marks(tokens: list[int], mark: int, steps: Sequence[str]) -> Encoded:
  """Up to the last of the tokens that stand for an end of a step."""
  ends = [index for index, token in enumerate(tokens) if token == mark]
  assert len(ends) == len(steps), "marks inside texts are removed"
  return Encoded(tokens[: ends[-1] + 1], ends)


@dataclasses.dataclass(frozen=True)
class RlhFlow:
  """RLHFlow's models (Xiong et al. 2024): a user's turn for each step.

  The assistant answers "+" to each; its probability, before it is said, is the
  score.

  Attributes:
    tokenizer: the verifier's.
    template: of its chat.
  """

  tokenizer: tokenization.Tokenizer
  template: chat.ChatTemplate
  name: str = "rlhflow"

  def encode(self, question: str, steps: Sequence[str]) -> Encoded:
    """A chat, up to where the assistant is to judge the last step."""
    turns: list[dict[str, str]] = []
    tokens: list[int] = []
    ends = []
    for index, step in enumerate(steps):
      clean = step.strip()
      text = f"{question} {clean}" if index == 0 else clean
      turns.append({"role": "user", "content": text})
      found = self.tokenizer.encode(self.template.render(turns))
      if found[: len(tokens)] != tokens:
        raise errors.InputError(
          f"{self.template.place}: the chat template writes the turns before"
          " the last one in another way; scores of steps cannot be read"
        )
      tokens = found
      ends.append(len(tokens) - 1)
      turns.append({"role": "assistant", "content": "+"})
    return Encoded(tokens, ends)


@dataclasses.dataclass(frozen=True)
class Skywork:
  """Skywork-o1-Open-PRM: a value at the newline behind each step.

  Attributes:
    tokenizer: the verifier's.
    start: the text of its start token; empty: it has none.
  """

  tokenizer: tokenization.Tokenizer
  start: str = ""
  name: str = "skywork"

  def __post_init__(self) -> None:
    # A newline decodes to what is stripped: it is told by its text.
    tokens = self.tokenizer.encode("\n")
    if not tokens or self.tokenizer.decode(tokens[-1:]) != "\n":
      raise errors.InputError(
        "the verifier's tokenizer has no token for a newline, at which scores"
        " are read; is it of this format?"
      )

  def encode(self, question: str, steps: Sequence[str]) -> Encoded:
    """The steps, each encoded by itself."""
    tokens = self.tokenizer.encode(f"{self.start}{question}\n")
    newline, ends = self.tokenizer.encode("\n")[-1], []
    for step in steps:
      tokens = [*tokens, *self.tokenizer.encode(step.strip()), newline]
      ends.append(len(tokens) - 1)
    return Encoded(tokens, ends)
