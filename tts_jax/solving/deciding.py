"""Which strategy a question gets, and why."""

import dataclasses
import json
import math
import re

import numpy as np

from tts_jax import errors
from tts_jax.scaling import bin_edges, estimates, plans, policy_file
from tts_jax.search import strategies

# What is done without a policy: the paper's baseline.
DEFAULT = "best_of_n_weighted"
# Samples that predicted difficulty is read from, where a policy counts it free.
PREDICTED_SAMPLES = 16

_FIRST = re.compile(r"first_(\d+)")
_WORDS = {
  "majority": "majority of",
  "best_of_n": "best of",
  "best_of_n_weighted": "weighted best of",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decision:
  """What a question's budget is spent on.

  Attributes:
    plan: the strategy.
    why: in words.
    difficulty: the estimate that placed the question, higher is easier; None
      where nothing was estimated.
    bin: of the policy, from 1, the easiest; None likewise.
  """

  plan: plans.Plan
  why: str
  difficulty: float | None = None
  bin: int | None = None


def check_budget(budget: float, policy: policy_file.Policy | None) -> None:
  """Refuses a budget that buys nothing.

  Args:
    budget: in generations, or in the policy's unit.
    policy: None: the default strategy.

  Raises:
    InputError: it is below 1 or no finite number; it is no whole number of
      generations; it is outside the policy's budgets.
  """
  unit = policy.unit if policy is not None else "generations"
  if not math.isfinite(budget) or budget < 1:
    raise errors.InputError(
      f"budget is {budget:g} {unit}; it must be at least 1"
    )
  if unit == "generations" and budget != int(budget):
    raise errors.InputError(
      f"budget is {budget:g} generations; it must be a whole number"
    )
  if policy is not None:
    low, high = policy.budgets[0], policy.budgets[-1]
    if not low <= budget <= high:
      raise errors.InputError(
        f"budget is {budget:g} {unit}; this policy has {low:g} to {high:g}"
      )


def reads_prompts(policy: policy_file.Policy | None, budget: float) -> bool:
  """Whether a difficulty head places questions, by their prompts alone."""
  if policy is None or policy.difficulty != estimates.HEAD:
    return False
  return policy.estimated[_column(policy, budget)]


def samples_to_place(policy: policy_file.Policy | None, budget: float) -> int:
  """How many samples place a question before the policy decides; often 0.

  Raises:
    InputError: the policy expects an estimate that cannot be made of a new
      question.
  """
  if policy is None or not policy.estimated[_column(policy, budget)]:
    return 0
  if policy.difficulty in ("none", estimates.HEAD):
    return 0
  if policy.difficulty == "predicted":
    return PREDICTED_SAMPLES
  match = _FIRST.fullmatch(policy.difficulty)
  if match is None or int(match[1]) < 1:
    raise errors.InputError(
      f"the policy places questions by {policy.difficulty!r}, which cannot be"
      " estimated here; it must be of none, head, predicted, first_4 or alike"
    )
  return int(match[1])


def needs_revisions(policy: policy_file.Policy | None, budget: float) -> bool:
  """Whether some question may get a strategy that revises."""
  if policy is None:
    return False
  column = _column(policy, budget)
  return any(
    isinstance(row[column].plan, plans.Revised | plans.RevisedSearch)
    for row in policy.choices
  )


def decide(
  policy: policy_file.Policy | None, budget: float, difficulty: float | None
) -> Decision:
  """The strategy of a question.

  Args:
    policy: None: weighted best-of-N, of the whole budget.
    budget: as of `check_budget`.
    difficulty: as the policy expects it; None where nothing was estimated.

  Raises:
    InputError: as `policy_file.strategy_for`.
  """
  if policy is None:
    return Decision(
      plan=plans.Sampled(int(budget), DEFAULT),
      why="no policy is given: the default, weighted best-of-N",
    )
  column = _column(policy, budget)
  estimated = policy.estimated[column]
  placed = 0.0 if policy.difficulty == "none" else difficulty
  choice = policy_file.strategy_for(policy, placed, budget)
  said = []
  if policy.budgets[column] != budget:
    said.append(
      f"of the policy's budgets the next lower, {policy.budgets[column]:g}"
    )
  if policy.averaged:
    said.append("the budget is met on average over questions")
  place = None
  if estimated and difficulty is not None:
    place = int(bin_edges.place(difficulty, np.array(policy.edges)))
    said.append(
      f"difficulty {difficulty:.2f} by {_by(policy)}, bin {place + 1} of"
      f" {len(policy.choices)}, 1 the easiest"
    )
    if policy.difficulty == "predicted":
      said.append("its samples, which the policy took for free, are on top")
  else:
    said.append("no difficulty estimated: all questions have one strategy here")
  return Decision(
    plan=choice.plan,
    why="; ".join([*said, _evidence(choice)]),
    difficulty=difficulty if place is not None else None,
    bin=None if place is None else place + 1,
  )


def words(plan: plans.Plan) -> str:
  """A plan as one says it, as "weighted best of 16"."""
  match plan:
    case plans.Sampled():
      return f"{_WORDS[plan.choice]} {plan.n}"
    case plans.Revised():
      return f"{plan.chains} chains of {plan.length} answers"
    case plans.RevisedSearch():
      return f"{words(plan.search)}, each final revised once"
    case strategies.Lookahead():
      return (
        f"lookahead search, k = {plan.depth}, N = {plan.n}, M = {plan.width}"
      )
    case strategies.DiverseBeam():
      return f"DVTS, N = {plan.n}, M = {plan.width}"
    case strategies.Beam():
      return f"beam search, N = {plan.n}, M = {plan.width}"
    case _:
      return f"best-of-N search, N = {plan.n}"


def order(plan: plans.Plan) -> str:
  """A plan as text that is equal for equal plans: JSON."""
  return json.dumps(plans.encode(plan), sort_keys=True)


def _column(policy: policy_file.Policy, budget: float) -> int:
  return sum(own <= budget for own in policy.budgets) - 1


def _by(policy: policy_file.Policy) -> str:
  """What places questions, in words."""
  if policy.difficulty == estimates.HEAD:
    return "the difficulty head, from the prompt alone"
  return policy.difficulty


def _evidence(choice: policy_file.Choice) -> str:
  if choice.value is None:
    return "no measured question was in this bin: what is best over all"

  def told(one: dict[str, float]) -> str:
    return f"{one['mean']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"

  text = f"right on {told(choice.value)} of {choice.questions} such questions"
  if choice.less_baseline is not None:
    text += (
      f", {told(choice.less_baseline)} above weighted best-of-N of this budget"
    )
  return f"{text}, chosen by {choice.agreement:.0%} of their random halves"
