"""A question's labels in the making: passes out, rollouts in, rows at last."""

import collections
import dataclasses
import itertools
from collections.abc import Sequence

import pyarrow as pa

from tts_jax import errors, types
from tts_jax.decode import stream
from tts_jax.store import labels as labels_lib
from tts_jax.tasks import automaton, base, tokenization
from tts_jax.verify import prefixes


@dataclasses.dataclass(frozen=True)
class Rollouts:
  """How prefixes are rolled out.

  Attributes:
    count: K, from each prefix. With 0 the labels are from the samples alone.
    max_tokens: of a completion, as the samples had it: its prefix counts.
    branches: prefixes of a solution that share a pass. A solution with more of
      its own is read again for the rest.

  Raises:
    errors.InputError: a field is out of its range.
  """

  count: int
  max_tokens: int
  branches: int = 16

  def __post_init__(self) -> None:
    if self.count < 0:
      raise errors.InputError(f"rollouts is {self.count}; it must be 0 or more")
    if self.branches < 1:
      raise errors.InputError(
        f"branches is {self.branches}; it must be at least 1"
      )

  @property
  def room(self) -> int:
    """N of the decode state: samples of one pass, at least 1."""
    return max(self.count, 1) * self.branches

  def longest(self, prompt_tokens: int) -> int:
    """P of the decode state: a prompt, and all that a token can follow."""
    return prompt_tokens + self.max_tokens - 1


@dataclasses.dataclass(frozen=True)
class _Outcome:
  """What a prefix's rollouts came to."""

  rollouts: int = 0
  correct: int = 0
  generated: int = 0


@dataclasses.dataclass
class Work:
  """A question in the making.

  Attributes:
    question: the question.
    prompt: its tokens.
    samples: all of its samples.
    distinct: their prefixes, each once.
    delimiters: what ends a step.
    passes: for each pass, the prefixes that are rolled out in it.
    waiting: passes that have not come back.
    outcomes: of the prefixes so far.
    prefilled: tokens read, by owner.
  """

  question: base.Question
  prompt: list[int]
  samples: list[prefixes.Sample]
  distinct: dict[tuple[int, ...], prefixes.Prefix]
  delimiters: automaton.Delimiters
  passes: list[list[prefixes.Prefix]]
  waiting: int
  outcomes: dict[tuple[int, ...], _Outcome]
  prefilled: collections.Counter[int]


def begin(
  question: base.Question,
  prompt: Sequence[int],
  samples: list[prefixes.Sample],
  delimiters: automaton.Delimiters,
  rollouts: Rollouts,
) -> Work:
  """Plans a question's passes: a solution's own prefixes, in one if it can."""
  found = prefixes.distinct(samples, delimiters)
  passes = []
  if rollouts.count:
    unfinished = (prefix for prefix in found.values() if not prefix.whole)
    # In the order of owners already.
    for _, own in itertools.groupby(unfinished, lambda prefix: prefix.owner):
      while one := list(itertools.islice(own, rollouts.branches)):
        passes.append(one)
  return Work(
    question=question,
    prompt=list(prompt),
    samples=samples,
    distinct=found,
    delimiters=delimiters,
    passes=passes,
    waiting=len(passes),
    outcomes={},
    prefilled=collections.Counter(),
  )


def request(
  work: Work, one: Sequence[prefixes.Prefix], max_tokens: int
) -> stream.Request:
  """A pass over a solution, up to the longest prefix to be rolled out."""
  return stream.Request(
    id=f"{work.question.id}, sample {one[0].owner}",
    uid=work.question.uid,
    tokens=[*work.prompt, *one[-1].tokens],
    branches=[
      stream.Branch(
        length=len(work.prompt) + len(prefix.tokens),
        uid=prefix.uid(work.question.uid),
        max_tokens=max_tokens - len(prefix.tokens),
      )
      for prefix in one
    ],
  )


def record(
  work: Work,
  one: Sequence[prefixes.Prefix],
  candidates: types.Candidates,
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
) -> None:
  """Grades a pass's rollouts; each text is the prefix and what follows."""
  count = len(candidates.length) // len(one)
  answers = [
    task.extract(tokenizer.decode([*prefix.tokens, *row[:length].tolist()]))
    if done
    else None
    for prefix, row, length, done in zip(
      (prefix for prefix in one for _ in range(count)),
      candidates.tokens,
      candidates.length,
      candidates.finished,
      strict=True,
    )
  ]
  verdicts = task.grade_all([(work.question.answer, each) for each in answers])
  for place, prefix in enumerate(one):
    here = slice(place * count, (place + 1) * count)
    work.outcomes[prefix.tokens] = _Outcome(
      rollouts=count,
      correct=verdicts[here].count(base.Verdict.CORRECT),
      generated=int(candidates.length[here].sum()),
    )
  work.prefilled[one[0].owner] += len(work.prompt) + len(one[-1].tokens) - 1
  work.waiting -= 1


def rows(work: Work) -> pa.Table:
  """The question's rows of the stage, one a sample."""
  rows = []
  for sample in work.samples:
    ends = []
    if not sample.dropped:
      ends = prefixes.step_ends(sample.tokens, work.delimiters)
    steps = [work.distinct[sample.tokens[:end]] for end in ends]
    outcomes = [work.outcomes.get(each.tokens, _Outcome()) for each in steps]
    row = {
      "question_id": work.question.id,
      "uid": work.question.uid,
      "sample": sample.index,
      "dropped": sample.dropped,
      "prompt": work.prompt,
      "step_end": ends,
      "owner": [each.owner for each in steps],
      "rollouts": [each.rollouts for each in outcomes],
      "rollouts_correct": [each.correct for each in outcomes],
      "passing": [each.passing for each in steps],
      "passing_correct": [each.passing_correct for each in steps],
      "generated": [each.generated for each in outcomes],
      "prefilled": work.prefilled[sample.index],
    }
    rows.append(row)
  return pa.Table.from_pylist(rows, schema=labels_lib.SCHEMA)
