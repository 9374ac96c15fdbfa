"""What a run measured, as cells of strategies and budgets."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tts_jax import errors, types
from tts_jax.scaling import (
  chain_flops,
  difficulty,
  estimates,
  measured,
  plans,
  revision_summary,
  revisions,
  sweep,
)
from tts_jax.store import chains as store

Count = Callable[[types.Cost, np.ndarray, bool], np.ndarray]


def of_pool(
  samples: sweep.Samples,
  found: sweep.Found,
  budgets: Sequence[int],
  count: Count,
  *,
  folds: estimates.Folds = difficulty.FOLDS,
  by_fold: Sequence[sweep.Values] | None = None,
  seed: int = 0,
  draws: int = 1000,
) -> dict[str, dict[int, measured.Cell]]:
  """Choices among a pool's samples, and searches.

  Args:
    samples: a scored pool.
    found: searches of the same questions; may be empty.
    budgets: of the choices; those above a fold's samples are left out.
    count: FLOPs of a ledger.
    folds: of the pool's columns.
    by_fold: `sweep.choice_values` of the samples that each fold holds out, at
      these budgets at least, where they are known already.
    seed: of random subsets.
    draws: of them, for each question.

  Raises:
    InputError: a search lacks questions, or a score is NaN.
  """
  room = min(samples.correct[:, held].shape[1] for _, held in folds)
  budgets = [budget for budget in budgets if budget <= room]
  costs = sweep.costs(found, samples, budgets, count)
  searched = sweep.search_values(found, samples.question_ids)
  if by_fold is None:
    by_fold = [
      sweep.choice_values(samples, budgets, held=held, seed=seed, draws=draws)
      for _, held in folds
    ]
  values: dict[str, dict[int, np.ndarray]] = {
    # A search for best-of-N measures what the pool measures better.
    **{name: one for name, one in searched.items() if name not in by_fold[0]},
    **{
      name: {n: np.stack([fold[name][n] for fold in by_fold]) for n in budgets}
      for name in by_fold[0]
    },
  }
  return {
    name: {
      budget: measured.Cell(
        value=value,
        generations=np.full(
          value.shape[-1:], plans.plan(name, budget).generations
        ),
        flops=costs[name][budget]["flops"],
      )
      for budget, value in by_budget.items()
    }
    for name, by_budget in values.items()
  }


def of_revisions(
  chains: store.Chains,
  values: revision_summary.Cells,
  question_ids: Sequence[str],
  prompt_length: np.ndarray,
  count: chain_flops.Count,
) -> dict[str, dict[int, measured.Cell]]:
  """Chains of revisions at every ratio, as "revisions 4:1".

  Args:
    chains: of a run.
    values: of its answers, as `revision_summary.cells` gives them.
    question_ids: Q ids that are wanted, in order.
    prompt_length: [Q] int.
    count: FLOPs of the revision model and its verifier.

  Raises:
    InputError: the chains are of other questions.
  """
  check_questions("the chains", chains.answers.question_ids, question_ids)
  flops: dict[tuple[int, str], np.ndarray] = {}
  for n in sorted({n for n, _ in values}):
    counted: list[np.ndarray] = []

    # The ledger tells means: each question's own count is kept as it passes.
    def kept(
      spent: chain_flops.Tokens, counted: list[np.ndarray] = counted
    ) -> np.ndarray:
      counted.append(np.asarray(count(spent), np.float64))
      return counted[-1]

    told = revision_summary.ledger(chains, prompt_length, [n], kept)[str(n)]
    flops |= zip([(n, one) for one in told], counted, strict=True)
  found: dict[str, dict[int, measured.Cell]] = {}
  for (n, s), value in values.items():
    ratio = revisions.ratio(s, n // s)
    found.setdefault(f"{plans.REVISIONS} {ratio}", {})[n] = measured.Cell(
      value=value,
      generations=np.full(len(value), n),
      flops=flops[n, ratio],
    )
  return found


def of_combined(
  values: Mapping[int, np.ndarray],
  search: Mapping[int, measured.Cell],
  chains: store.Chains,
  prompt_length: np.ndarray,
  count: chain_flops.Count,
) -> dict[str, dict[int, measured.Cell]]:
  """Searches whose finals were revised once.

  Args:
    values: {N: [Q]}, as `revision_summary.combined` gives them.
    search: cells of the search, by its own budget, N / 2.
    chains: of a solution and its revision each, in the order of the budgets.
    prompt_length: [Q] int.
    count: FLOPs of the revision model and its verifier.
  """
  found: dict[int, measured.Cell] = {}
  starts = np.cumsum([0, *chains.lengths])[:-1]
  first = 0
  for budget, value in values.items():
    half = budget // 2
    own = starts[first : first + half] + 1
    first += half

    def total(values: np.ndarray, own: np.ndarray = own) -> np.ndarray:
      return values[:, own].sum(1)

    spent = chain_flops.of_chains(chains, prompt_length, total)
    found[budget] = measured.Cell(
      value=value,
      generations=search[half].generations + half,
      flops=search[half].flops + count(spent),
    )
  return {plans.COMBINED: found} if found else {}


def check_questions(
  what: str, have: Sequence[str], want: Sequence[str]
) -> None:
  """Checks that a stage of a run is of the run's questions, in their order.

  Raises:
    InputError: it lacks some, has others, or orders them otherwise.
  """
  lacking = [one for one in want if one not in set(have)]
  if lacking:
    raise errors.InputError(
      f"{what} lack {len(lacking)} of {len(want)} questions, {lacking[0]!r}"
      " first; start the command that makes them again"
    )
  if tuple(have) != tuple(want):
    raise errors.InputError(
      f"{what} are of {len(have)} questions, {len(want)} are wanted, in their"
      " order; give a run of the same questions"
    )
