"""What a budget may be spent on, as data that a policy file holds.

A plan says everything that a run needs to know: how many samples and which
choice among them, which search, how many chains of what length. `plan` makes it
from the names that results carry.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tts_jax import errors
from tts_jax.scaling import revisions
from tts_jax.search import strategies

CHOICES = ("majority", "best_of_n", "best_of_n_weighted")
# The names of results: of ratios, "revisions 4:1", and of the combined method.
REVISIONS, COMBINED = "revisions", "revised_search"
# The search whose finals the combined method revises.
REVISED = "beam_4"


@dataclasses.dataclass(frozen=True)
class Sampled:
  """N samples of the base model and a choice among them.

  Raises:
    InputError: `n` is below 1, or the choice unknown.

  Example:
    >>> tts.Sampled(16, "majority").generations
    16
  """

  n: int
  choice: str

  def __post_init__(self) -> None:
    _at_least_1("n", self.n)
    if self.choice not in CHOICES:
      raise errors.InputError(
        f"choice is {self.choice!r}; it must be of {', '.join(CHOICES)}"
      )

  @property
  def generations(self) -> int:
    """The budget, in solutions."""
    return self.n


@dataclasses.dataclass(frozen=True)
class Revised:
  """Chains of revisions, chosen among by the revision model's verifier.

  Raises:
    InputError: a size is below 1.

  Example:
    >>> tts.Revised(chains=2, length=4).generations
    8
  """

  chains: int
  length: int

  def __post_init__(self) -> None:
    _at_least_1("chains", self.chains)
    _at_least_1("length", self.length)

  @property
  def generations(self) -> int:
    """The budget, in solutions."""
    return self.chains * self.length


@dataclasses.dataclass(frozen=True)
class RevisedSearch:
  """A search, each of whose finals is revised once."""

  search: strategies.Strategy

  @property
  def generations(self) -> int:
    """The budget, in solutions."""
    return self.search.generations + self.search.rounds.n


Plan = strategies.Strategy | Sampled | Revised | RevisedSearch

# By the kind that a file names; a search is one of `search.strategies`.
_KINDS: Mapping[str, Any] = {
  "sampled": Sampled,
  "beam": strategies.Beam,
  "lookahead": strategies.Lookahead,
  "dvts": strategies.DiverseBeam,
  "revised": Revised,
  "revised_search": RevisedSearch,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def ratio_name(length: int, chains: int) -> str:
  """What results call chains of a ratio, as "revisions 4:1"."""
  return f"{REVISIONS} {revisions.ratio(length, chains)}"


def plan(name: str, budget: int) -> Plan:
  """The plan of a strategy at a budget, from the names that results carry.

  Args:
    name: a choice among samples, a search, "revisions s:p" or
      "revised_search".
    budget: in generations.

  Raises:
    InputError: the name is unknown, or has no such budget.
  """
  if name in CHOICES:
    return Sampled(budget, name)
  if name in strategies.BY_NAME:
    return strategies.BY_NAME[name](budget)
  if name == COMBINED:
    return RevisedSearch(strategies.BY_NAME[REVISED](budget // 2))
  for length in revisions.LENGTHS.get(budget, ()):
    if name == ratio_name(length, budget // length):
      return Revised(budget // length, length)
  known = [*CHOICES, *strategies.BY_NAME, COMBINED]
  raise errors.InputError(
    f"strategy {name!r} at budget {budget} is unknown; it must be of"
    f" {', '.join(known)}, or a ratio as 'revisions 4:1' that the budget has"
  )


def encode(one: Plan) -> dict[str, Any]:
  """A plan as JSON holds it: its kind and its sizes."""
  sizes = {
    field.name: getattr(one, field.name) for field in dataclasses.fields(one)
  }
  if isinstance(one, RevisedSearch):
    sizes["search"] = encode(one.search)
  return {"kind": _NAMES[type(one)], **sizes}


def decode(found: Any, where: str) -> Plan:
  """The plan that `encode` wrote.

  Args:
    found: what a file holds.
    where: the file and the field, for errors.

  Raises:
    InputError: it is of no known kind, lacks a size, has one that is none, or
      its sizes make no plan.
  """
  if not isinstance(found, dict):
    raise errors.InputError(f"{where} must be an object")
  kind = found.get("kind")
  if not isinstance(kind, str) or kind not in _KINDS:
    raise errors.InputError(
      f"{where}.kind is {kind!r}; it must be of {', '.join(_KINDS)}"
    )
  fields = {field.name: field for field in dataclasses.fields(_KINDS[kind])}
  sizes = {name: value for name, value in found.items() if name != "kind"}
  for name in sorted({*fields, *sizes}):
    if name not in fields:
      raise errors.InputError(f"{where}.{name} is unknown to {kind!r}")
    if name not in sizes:
      if fields[name].default is dataclasses.MISSING:
        raise errors.InputError(f"{where}.{name} is missing")
    elif fields[name].type is int and type(sizes[name]) is not int:
      raise errors.InputError(
        f"{where}.{name} is {sizes[name]!r}; it must be an integer"
      )
  if kind == _NAMES[RevisedSearch]:
    sizes["search"] = _search(sizes["search"], f"{where}.search")
  try:
    return _KINDS[kind](**sizes)
  except errors.InputError as error:
    raise errors.InputError(f"{where}: {error}") from error


def _search(found: Any, where: str) -> strategies.Strategy:
  one = decode(found, where)
  if not isinstance(one, strategies.Strategy):
    raise errors.InputError(f"{where}.kind must be a search")
  return one


def _at_least_1(name: str, value: int) -> None:
  if value < 1:
    raise errors.InputError(f"{name} is {value}; it must be at least 1")
