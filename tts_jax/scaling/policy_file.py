"""`policy.json`: what a budget is spent on, for which model, and why.

A policy places a question by edges and holds, for every bin and budget, a plan
with its evidence. It is of one model and verifier, whose hashes it carries.
"""

import dataclasses
import itertools
import math
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from tts_jax import errors, json_input
from tts_jax.scaling import bin_edges, measured, plans
from tts_jax.store import atomic
from tts_jax.verify import saved

FILE = "policy.json"
# Its budgets are met on average, as `allocation` has them.
AVERAGE_FILE = "policy_average.json"
SCHEMA_VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class MadeFor:
  """Hashes of what a policy was measured with.

  Attributes:
    tokenizer: digest of the tokenizer.
    model: of the model's weights.
    verifier: of the verifier's weights.
    revision_model: of the revision model's; empty where none was measured.
    revision_verifier: of its verifier's, likewise.
    difficulty_head: of the head that places questions; empty where none does.
    samples: of a file of samples that somebody else made, by models that are
      not at hand: then the others are empty, and no model may follow it.
  """

  tokenizer: str
  model: str
  verifier: str
  revision_model: str = ""
  revision_verifier: str = ""
  difficulty_head: str = ""
  samples: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
  """What a bin does with a budget.

  Attributes:
    plan: the strategy.
    questions: of the bin; 0: none, and the plan is what is best over all.
    agreement: share of the random halves of the bin that chose this plan.
    value: {"mean", "low", "high"} of expected correctness on questions that did
      not choose; None without questions.
    less_baseline: the same of the paired difference with the baseline at this
      budget; None where that was not measured.
    generations: spent on average, the estimate included.
    flops: likewise; None where they are not known.
  """

  plan: plans.Plan
  questions: int
  agreement: float
  value: dict[str, float] | None
  less_baseline: dict[str, float] | None
  generations: float
  flops: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Policy:
  """A strategy for each bin and budget.

  Attributes:
    made_for: the models.
    commit: of the code that measured.
    difficulty: name of the estimate by which it places a question.
    difficulty_generations: what that takes of a budget.
    unit: of the budgets, one of `measured.UNITS`.
    edges: between bins, falling; see `bin_edges`.
    budgets: ascending.
    estimated: for each budget, whether it pays for the estimate; where False
      all bins have one plan, and none needs to be made.
    choices: for each bin, the easiest first, one for each budget.
    averaged: budgets are means over questions such as those measured: a hard
      question may spend more, an easy one less.
  """

  made_for: MadeFor
  commit: str
  difficulty: str
  difficulty_generations: int
  unit: str
  edges: tuple[float, ...]
  budgets: tuple[float, ...]
  estimated: tuple[bool, ...]
  choices: tuple[tuple[Choice, ...], ...]
  averaged: bool = False


def made_for(
  model: pathlib.Path,
  verifier: pathlib.Path,
  revision_model: pathlib.Path | None = None,
  revision_verifier: pathlib.Path | None = None,
  *,
  difficulty_head: pathlib.Path | None = None,
) -> MadeFor:
  """The hashes of the folders of models at hand."""
  origin = saved.origin(model)

  def content(folder: pathlib.Path | None) -> str:
    return saved.content_hash(folder) if folder is not None else ""

  return MadeFor(
    tokenizer=origin.tokenizer,
    model=origin.model,
    verifier=content(verifier),
    revision_model=content(revision_model),
    revision_verifier=content(revision_verifier),
    difficulty_head=content(difficulty_head),
  )


def strategy_for(
  policy: Policy, difficulty: float | None, budget: float
) -> Choice:
  """What the policy does with a question.

  Args:
    policy: the policy.
    difficulty: the question's estimate, of the kind that the policy expects;
      None will do where the budget does not pay for one.
    budget: in the policy's unit; between two of its own the lower one counts.

  Raises:
    InputError: the budget is outside the policy's, or an estimate is needed and
      is none.
  """
  low, high = policy.budgets[0], policy.budgets[-1]
  if not low <= budget <= high:
    raise errors.InputError(
      f"budget is {budget:g} {policy.unit}; this policy has {low:g} to {high:g}"
    )
  column = sum(own <= budget for own in policy.budgets) - 1
  if not policy.estimated[column]:
    return policy.choices[0][column]
  if difficulty is None or not math.isfinite(difficulty):
    raise errors.InputError(
      f"difficulty is {difficulty}; this policy needs an estimate of the kind"
      f" {policy.difficulty!r}, a finite number"
    )
  place = int(bin_edges.place(difficulty, np.array(policy.edges)))
  return policy.choices[place][column]


def write(path: pathlib.Path, policy: Policy) -> None:
  """Writes a policy, whole or not at all.

  Raises:
    InputError: the disk is full.
  """
  fields = {
    field.name: getattr(policy, field.name)
    for field in dataclasses.fields(policy)
  }
  fields["made_for"] = dataclasses.asdict(policy.made_for)
  fields["choices"] = [
    [
      {**dataclasses.asdict(one), "plan": plans.encode(one.plan)}
      for one in by_budget
    ]
    for by_budget in policy.choices
  ]
  atomic.write_json(path, {"schema_version": SCHEMA_VERSION, **fields})


def load(path: pathlib.Path, here: MadeFor | None = None) -> Policy:
  """Reads a policy.

  Args:
    path: of the file.
    here: the models at hand; None takes any.

  Raises:
    InputError: the file is absent, is no JSON, or has another schema version; a
      field is missing, unknown or not what it must be; a bin or a strategy is
      missing or unknown, or budgets do not ascend; it was made for other
      models.

  Example:
    >>> import pathlib
    >>> policy = tts.load_policy(pathlib.Path("runs/mine/policy.json"))
    >>> policy.difficulty, policy.budgets, policy.choices[0][1].plan
    ('head', (4.0, 16.0), Sampled(n=4, choice='majority'))
  """
  found = json_input.read_object(path)
  version = found.pop("schema_version", None)
  if version != SCHEMA_VERSION:
    raise errors.InputError(
      f"{path}: schema_version is {version!r}; this program reads"
      f" {SCHEMA_VERSION}"
    )
  _check_fields(found, Policy, str(path))
  models = _object(found["made_for"], MadeFor, f"{path}: made_for")
  for name, one in models.items():
    if not isinstance(one, str):
      raise errors.InputError(
        f"{path}: made_for.{name} is {one!r}; it must be a hash, as text"
      )
  policy = Policy(
    **{
      **found,
      "made_for": MadeFor(**models),
      "edges": _numbers(found["edges"], f"{path}: edges"),
      "budgets": _numbers(found["budgets"], f"{path}: budgets"),
      "estimated": tuple(_list(found["estimated"], f"{path}: estimated")),
      "choices": _choices(found["choices"], f"{path}: choices"),
    }
  )
  _check(policy, path)
  if here is not None:
    _check_models(policy.made_for, here, path)
  return policy


def _check(policy: Policy, path: pathlib.Path) -> None:
  """Checks that the parts of a policy fit each other."""
  for name, good in (
    ("commit", isinstance(policy.commit, str)),
    ("difficulty", isinstance(policy.difficulty, str)),
    ("difficulty_generations", type(policy.difficulty_generations) is int),
    ("unit", policy.unit in measured.UNITS),
    ("averaged", type(policy.averaged) is bool),
    ("estimated", all(type(one) is bool for one in policy.estimated)),
  ):
    if not good:
      raise errors.InputError(
        f"{path}: {name} is {getattr(policy, name)!r}; it cannot be that"
      )
  budgets, edges = policy.budgets, policy.edges
  rising = all(a < b for a, b in itertools.pairwise(budgets))
  if not budgets or not rising:
    raise errors.InputError(
      f"{path}: budgets are {list(budgets)}; there must be one at least, and"
      " they must ascend"
    )
  if any(a < b for a, b in itertools.pairwise(edges)):
    raise errors.InputError(
      f"{path}: edges are {list(edges)}; they must descend, the easiest first"
    )
  for name, have, want in (
    ("estimated", len(policy.estimated), len(budgets)),
    ("choices", len(policy.choices), len(edges) + 1),
    *(
      (f"choices[{index}]", len(one), len(budgets))
      for index, one in enumerate(policy.choices)
    ),
  ):
    if have != want:
      what = "bins" if name == "choices" else "budgets"
      raise errors.InputError(
        f"{path}: {name} has {have} {what}; it must have {want}"
      )


def _check_models(made: MadeFor, here: MadeFor, path: pathlib.Path) -> None:
  if made.samples:
    raise errors.InputError(
      f"{path}: it was measured on a file of samples ({made.samples}), whose"
      " models are not known; measure one for yours: python -m launch.search"
    )
  for field in dataclasses.fields(MadeFor):
    have, own = getattr(made, field.name), getattr(here, field.name)
    if have and have != own:
      raise errors.InputError(
        f"{path}: made_for.{field.name} is {have}, the one at hand is"
        f" {own or 'none'}; measure a policy for it, or give that one"
      )


def _choices(found: Any, where: str) -> tuple[tuple[Choice, ...], ...]:
  return tuple(
    tuple(
      _choice(one, f"{where}[{bin_}][{budget}]")
      for budget, one in enumerate(_list(row, f"{where}[{bin_}]"))
    )
    for bin_, row in enumerate(_list(found, where))
  )


def _choice(found: Any, where: str) -> Choice:
  fields = _object(found, Choice, where)
  for name in ("questions", "agreement", "generations", "flops"):
    if name != "flops" or fields[name] is not None:
      _numbers([fields[name]], f"{where}.{name}")
  for name in ("value", "less_baseline"):
    if fields[name] is not None:
      inner = f"{where}.{name}"
      if not isinstance(fields[name], dict) or set(fields[name]) != {
        "mean",
        "low",
        "high",
      }:
        raise errors.InputError(f"{inner} must have mean, low and high")
      _numbers(list(fields[name].values()), inner)
  return Choice(
    **{**fields, "plan": plans.decode(fields["plan"], f"{where}.plan")}
  )


def _object(found: Any, kind: Any, where: str) -> dict[str, Any]:
  if not isinstance(found, dict):
    raise errors.InputError(f"{where} must be an object")
  _check_fields(found, kind, where)
  return found


def _check_fields(found: dict[str, Any], kind: Any, where: str) -> None:
  fields = {field.name: field.default for field in dataclasses.fields(kind)}
  for name in sorted({*fields, *found}):
    needed = fields.get(name, dataclasses.MISSING) is dataclasses.MISSING
    if name not in fields or (name not in found and needed):
      fault = "unknown" if name in found else "missing"
      raise errors.InputError(f"{where}: field {name!r} is {fault}")


def _list(found: Any, where: str) -> Sequence[Any]:
  if not isinstance(found, list):
    raise errors.InputError(f"{where} must be a list")
  return found


def _numbers(found: Any, where: str) -> tuple[float, ...]:
  for one in _list(found, where):
    # An integer may be beyond all floats.
    if type(one) not in (int, float) or not abs(one) <= sys.float_info.max:
      raise errors.InputError(
        f"{where} has {one!r}; it must be a finite number"
      )
  return tuple(found)
