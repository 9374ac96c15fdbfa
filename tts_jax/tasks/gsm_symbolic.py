"""Grade-school word problems in natural language, from templates.

The templates are GSM-Symbolic's as reasoning-gym writes them (Apache-2.0). Only
the making of questions needs reasoning-gym (`pip install 'tts_jax[data]'`); the
500 test questions are a file in the package.
"""

import collections
import dataclasses
import functools
import hashlib
import importlib
import json
import pathlib
import random
import re
from collections.abc import Iterator
from typing import Any

from tts_jax import errors
from tts_jax.tasks import base

# Templates whose item, prompt and solution together, has at most 140 tokens,
# whose numbers have at most four digits, and whose steps say what they compute:
# two cores learn these in under two hours, where all 85 take days.
TRAIN_TEMPLATES = (
  *(6, 10, 14, 16, 18, 20, 26, 31, 43, 48, 50),
  *(55, 56, 57, 58, 62, 69, 72, 75, 78, 91, 95),
)
# Never trained on: stories of about the same length, of other plots.
HELD_OUT_TEMPLATES = (4, 30, 39, 54, 59, 67)

TEST_FILE = (
  pathlib.Path(__file__).parent.parent
  / "assets"
  / "questions"
  / "gsm_symbolic_test.jsonl"
)

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# Share of question texts, by hash, that belong to each split (of 1,000).
_SPLITS = {"test": (0, 50), "validation": (50, 100), "train": (100, 1000)}


@dataclasses.dataclass(frozen=True)
class GsmSymbolic(base.NumericAnswers):
  """Word problems with worked solutions, a step a line, `#### answer` last."""

  name: str = "gsm_symbolic"
  step_delimiter: str = "\n"

  def prompt(self, question: base.Question) -> str:
    """The question on a line of its own; the solution follows."""
    return question.text + "\n"

  def completion(self, question: base.Question) -> str:
    """The worked solution, which ends with `#### answer`."""
    return question.solution


def reporting_questions(path: pathlib.Path = TEST_FILE) -> list[base.Question]:
  """The 500 test questions of the package.

  Example:
    >>> len(tts.shipped_questions())
    500
  """
  with path.open(encoding="utf-8") as lines:
    return [base.Question(**json.loads(line)) for line in lines]


def plain_numbers(text: str) -> str:
  """Writes `1,200` as 1200 and `96.0` as 96; templates mix both."""
  text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
  return re.sub(r"(?<![\d.])(\d+)\.0+(?!\d)", r"\1", text)


def solution_steps(answer_cot: str) -> list[str]:
  """One step a line: no bullets, no headings, no final `####` line."""
  steps = []
  for line in answer_cot.splitlines():
    line = plain_numbers(line.strip().lstrip("-•").strip())
    if line and not line.startswith("####") and not line.endswith(":"):
      steps.append(line)
  return steps


def question_split(text: str) -> str:
  """The split that a question's text belongs to, by its hash.

  Two seeds can draw the same question, so seeds alone do not keep the splits
  apart.
  """
  digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
  share = int.from_bytes(digest, "big") % 1000
  return next(s for s, (low, high) in _SPLITS.items() if low <= share < high)


@functools.cache
def _generators() -> dict[int, Any]:
  folder = "reasoning_gym.arithmetic.gsm_symbolic"
  try:
    modules = [
      importlib.import_module(f"{folder}.generators_{span}")
      for span in ("00_49", "50_99")
    ]
  except ModuleNotFoundError as error:
    raise errors.InputError(
      "making word problems needs reasoning-gym: pip install 'tts_jax[data]'"
    ) from error
  return {
    int(name.removeprefix("generate_")): getattr(module, name)
    for module in modules
    for name in dir(module)
    if name.startswith("generate_")
  }


def make_question(
  template: int, split: str, seed: int, index: int
) -> base.Question | None:
  """One item of a template, or None where its solution does not end in it.

  Args:
    template: number of the GSM-Symbolic template.
    split: "train", "validation" or "test"; part of the item's seed.
    seed: of the whole set.
    index: of the item in the set.

  Returns:
    A question whose last step states the answer; None for the few items of
    some templates whose last step does not.
  """
  source = random.Random(f"{split}/{seed}/{template}/{index}")
  item = _generators()[template](source, 1.0)
  steps = solution_steps(item["metadata"]["answer_cot"])
  answer = plain_numbers(str(item["answer"]).strip())
  if not steps or answer not in _NUMBER.findall(steps[-1]):
    return None
  return base.Question(
    id=f"gsm_symbolic/{template}/{split}/{seed}/{index}",
    text=plain_numbers(" ".join(item["question"].split())),
    answer=answer,
    solution="\n".join([*steps, f"#### {answer}"]),
    meta={"template": template, "held_out": template in HELD_OUT_TEMPLATES},
  )


@dataclasses.dataclass
class Questions:
  """Questions of a split, in an order fixed by the seed, without end.

  Attributes:
    split: "train", "validation" or "test". An item whose text hashes to
      another split is passed over.
    seed: of the order and of the items.
    templates: to draw from, each with equal chance.
    counts: "made", "no answer in the last step", "of another split".
  """

  split: str
  seed: int
  templates: tuple[int, ...] = TRAIN_TEMPLATES
  counts: collections.Counter[str] = dataclasses.field(
    default_factory=collections.Counter
  )

  def __post_init__(self) -> None:
    if self.split not in _SPLITS:
      raise errors.InputError(
        f"split {self.split!r}: must be one of {', '.join(_SPLITS)}"
      )

  def start(self, index: int = 0) -> Iterator[tuple[int, base.Question]]:
    """Yields (index, question) from `index` on; gaps are items dropped."""
    while True:
      order = random.Random(f"template/{self.split}/{self.seed}/{index}")
      template = order.choice(self.templates)
      question = make_question(template, self.split, self.seed, index)
      if question is None:
        self.counts["no answer in the last step"] += 1
      elif question_split(question.text) != self.split:
        self.counts["of another split"] += 1
      else:
        self.counts["made"] += 1
        yield index, question
      index += 1
