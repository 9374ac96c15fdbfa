"""What a config asks of searches, checked before anything is drawn."""

import ml_collections

from tts_jax import errors
from tts_jax.scaling import revisions
from tts_jax.search import strategies, sweep

# The method that is no search, and the search whose finals it revises too.
REVISIONS, REVISED = "revisions", "beam_4"


def cells(config: ml_collections.ConfigDict) -> list[sweep.Cell]:
  """The sweep's cells; an InputError where there is none, or a wrong value."""
  wanted = config.search
  if wanted.step_tokens < 0:
    raise errors.InputError(
      f"config.search.step_tokens is {wanted.step_tokens}; it must be at least"
      " 0, which is no limit"
    )
  for method in wanted.most:
    if method not in strategies.BY_NAME:
      raise errors.InputError(
        f"config.search.most has {method!r}; it must be of"
        f" {', '.join(sorted(strategies.BY_NAME))}"
      )
  budgets = {
    method: [n for n in wanted.budgets if n <= wanted.most.get(method, n)]
    for method in wanted.methods
    if method != REVISIONS
  }
  found = sweep.cells(budgets, wanted.seeds)
  if not found:
    raise errors.InputError(
      "config.search has no method and budget of a search, with which all else"
      f" is compared; add one, such as {REVISED!r} at 4"
    )
  return found


def revision_lengths(config: ml_collections.ConfigDict) -> tuple[int, ...]:
  """Answers of each chain of revisions; none where no method asks for them."""
  if REVISIONS not in config.search.methods:
    return ()
  if 1 not in config.revision.budgets:
    raise errors.InputError(
      f"config.revision.budgets is {tuple(config.revision.budgets)}; 1, a first"
      " answer alone, with which all else is compared, must be among them, or"
      f" leave {REVISIONS!r} out of config.search.methods"
    )
  return revisions.lengths(config.revision.budgets)


def revised_budgets(config: ml_collections.ConfigDict) -> list[int]:
  """Budgets of the search whose finals are each revised once."""
  if REVISED not in config.search.methods:
    return []
  return sorted(
    {
      cell.budget
      for cell in cells(config)
      # With a revision each they cost twice as much.
      if cell.method == REVISED and 2 * cell.budget in config.revision.budgets
    }
  )


def tree(config: ml_collections.ConfigDict) -> sweep.Cell:
  """The search that is drawn as trees."""
  wanted = config.search.tree
  if wanted.method not in strategies.BY_NAME:
    raise errors.InputError(
      f"config.search.tree.method is {wanted.method!r}; it must be of"
      f" {', '.join(sorted(strategies.BY_NAME))}"
    )
  least = strategies.LEAST.get(wanted.method, 1)
  if wanted.budget < least:
    raise errors.InputError(
      f"config.search.tree.budget is {wanted.budget}; {wanted.method} takes at"
      f" least {least}"
    )
  if wanted.questions < 0:
    raise errors.InputError(
      f"config.search.tree.questions is {wanted.questions}; it must be at"
      " least 0"
    )
  return sweep.Cell(wanted.method, wanted.budget, 0)
