"""Solving questions with engines that are compiled: place, decide, draw, judge.

Nothing here compiles, reads flags or touches files. `launch.solve` and
`tts_jax.solve` put the engines together.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from tts_jax import errors
from tts_jax.decode import pools
from tts_jax.decode import stream as decode_stream
from tts_jax.scaling import plans, policy_file
from tts_jax.solving import answering, deciding, drawing, spending
from tts_jax.solving import engines as engines_lib
from tts_jax.tasks import base


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placed:
  """How hard a question is taken to be, and what that took."""

  difficulty: float | None
  spent: spending.Spent


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Solved:
  """A question, answered.

  Attributes:
    question: the question.
    decision: the strategy, and why.
    answer: in canonical form; None where no solution states one.
    solution: text of the solution that stands for it; empty without an answer.
    score: the verifier's probability that this solution is right, made by
      cross-entropy; that it was chosen among others it does not know. None
      without an answer.
    share: of the vote that was for the answer; None without one.
    correct: as the reference answer has it; None without one that can be read.
    spent: the estimate of difficulty included.
    drawn: all solutions.
    answers: of each solution, in canonical form.
  """

  question: base.Question
  decision: deciding.Decision
  answer: str | None
  solution: str
  score: float | None
  share: float | None
  correct: bool | None
  spent: spending.Spent
  drawn: drawing.Drawn
  answers: tuple[str | None, ...]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Solver:
  """Everything that is the same for all questions.

  Attributes:
    task: states prompts, reads answers and grades them.
    engines: compiled.
    budget: in generations, or in the policy's unit.
    policy: None: weighted best-of-N.
    strategy: what every question gets, whatever its difficulty; None: what the
      policy says.

  Raises:
    InputError: as `deciding.check_budget` and `deciding.samples_to_place`; the
      policy expects a difficulty head and there is none.
  """

  task: base.Task
  engines: engines_lib.Engines
  budget: float
  policy: policy_file.Policy | None = None
  strategy: plans.Plan | None = None

  def __post_init__(self) -> None:
    deciding.check_budget(self.budget, self.policy)
    _ = self.places_by
    if self.reads_prompts and self.engines.place is None:
      raise errors.InputError(
        "the policy places questions by a difficulty head, and there is none;"
        " give its folder as difficulty, or a policy made without a head"
      )

  @property
  def places_by(self) -> int:
    """Samples that place a question."""
    return deciding.samples_to_place(self.policy, self.budget)

  @property
  def reads_prompts(self) -> bool:
    """Whether a difficulty head places questions instead."""
    return deciding.reads_prompts(self.policy, self.budget)

  @property
  def places(self) -> bool:
    """Whether there is anything to estimate."""
    return self.reads_prompts or self.places_by > 0

  @property
  def estimate(self) -> plans.Sampled:
    """What draws them."""
    return plans.Sampled(self.places_by, deciding.DEFAULT)

  def request(self, question: base.Question) -> decode_stream.Request:
    """The question as engines take it."""
    return pools.request(question, self.task, self.engines.models.tokenizer)

  def solve(self, questions: Sequence[base.Question]) -> list[Solved]:
    """Answers questions, in their order; those of one strategy together."""
    placed = self.place(questions)
    decisions = [self.decide(one) for one in placed]
    found: dict[int, Solved] = {}
    for plan in dict.fromkeys(one.plan for one in decisions):
      mine = [i for i, one in enumerate(decisions) if one.plan == plan]
      asked = [questions[i] for i in mine]
      drawn = self._draw(plan, asked)
      for index, one in zip(
        mine, drawing.judge(plan, drawn, self.engines), strict=True
      ):
        found[index] = self.answer(
          questions[index], decisions[index], one, placed[index].spent
        )
    return [found[index] for index in range(len(questions))]

  def place(self, questions: Sequence[base.Question]) -> list[Placed]:
    """Estimates how hard questions are, as the policy expects it."""
    if self.reads_prompts:
      return self.read(questions)
    if not self.places_by:
      return self.unplaced(questions)
    drawn = self._draw(self.estimate, questions, "estimate")
    return self.placed(drawn)

  def unplaced(self, questions: Sequence[base.Question]) -> list[Placed]:
    """Questions of which nothing is estimated."""
    return [Placed(difficulty=None, spent=spending.Spent())] * len(questions)

  def read(self, questions: Sequence[base.Question]) -> list[Placed]:
    """Questions as the difficulty head takes them, from their prompts."""
    assert self.engines.place is not None, "a policy by a head has one"
    requests = [self.request(one) for one in questions]
    levels = self.engines.place(requests) if requests else np.zeros(0)
    return [
      Placed(
        difficulty=float(level),
        spent=spending.reading(self.engines.models, len(one.tokens)),
      )
      for one, level in zip(requests, levels, strict=True)
    ]

  def placed(self, drawn: Sequence[drawing.Drawn]) -> list[Placed]:
    """The same from the samples of `estimate`: their answers' mean score."""
    placed = []
    for one in drawing.judge(self.estimate, drawn, self.engines):
      stated = [found is not None for found in self._read(one)[1]]
      assert one.score is not None, "they were judged"
      level = float(np.where(stated, one.score, 0.0).mean())
      placed.append(Placed(difficulty=level, spent=one.spent))
    return placed

  def decide(self, placed: Placed) -> deciding.Decision:
    """The strategy of a question."""
    if self.strategy is not None:
      return deciding.Decision(plan=self.strategy, why="it was asked for")
    return deciding.decide(self.policy, self.budget, placed.difficulty)

  def draw(
    self,
    plan: plans.Plan,
    questions: Iterator[base.Question],
    purpose: str = "sample",
  ) -> Iterator[tuple[int, drawing.Drawn]]:
    """As `drawing.draw`, of questions."""
    requests = (self.request(one) for one in questions)
    return drawing.draw(plan, requests, self.engines, purpose)

  def answer(
    self,
    question: base.Question,
    decision: deciding.Decision,
    drawn: drawing.Drawn,
    before: spending.Spent,
  ) -> Solved:
    """What judged solutions come to.

    Args:
      question: the question.
      decision: what drew.
      drawn: judged.
      before: what placing it took.
    """
    stated, answers = self._read(drawn)
    assert drawn.score is not None, "solutions are judged before they answer"
    chosen = answering.choose(
      decision.plan, question.id, answers, drawn.score, drawn.lengths
    )
    place = None if chosen is None else chosen.place
    return Solved(
      question=question,
      decision=decision,
      answer=None if place is None else answers[place],
      solution="" if place is None else self._text(drawn.tokens[place]),
      score=None if chosen is None else chosen.score,
      share=None if chosen is None else chosen.share,
      correct=self._grade(question, None if place is None else stated[place]),
      spent=before + drawn.spent,
      drawn=drawn,
      answers=tuple(answers),
    )

  def _draw(
    self,
    plan: plans.Plan,
    questions: Sequence[base.Question],
    purpose: str = "sample",
  ) -> list[drawing.Drawn]:
    found = dict(self.draw(plan, iter(questions), purpose))
    return [found[index] for index in range(len(questions))]

  def _read(
    self, drawn: drawing.Drawn
  ) -> tuple[list[str | None], list[str | None]]:
    """The answers that solutions state, as they stand and in canonical form."""
    stated = [
      # What was cut states none, even where what stands there looks like one.
      self.task.extract(self._text(tokens)) if done else None
      for tokens, done in zip(drawn.tokens, drawn.finished, strict=True)
    ]
    canonical = [
      None if one is None else self.task.canonical(one) for one in stated
    ]
    return stated, canonical

  def _text(self, tokens: Sequence[int]) -> str:
    return self.engines.models.tokenizer.decode(tokens)

  def _grade(self, question: base.Question, stated: str | None) -> bool | None:
    if not question.answer or self.task.canonical(question.answer) is None:
      return None
    (verdict,) = self.task.grade_all([(question.answer, stated)])
    return verdict is base.Verdict.CORRECT
