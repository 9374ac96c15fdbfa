"""The numbers of chains of revisions, for `summary.json`."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tts_jax.scaling import (
  chain_flops,
  difficulty,
  estimators,
  intervals,
  revision_contrasts,
  revision_turns,
  revisions,
  verification,
)
from tts_jax.store import chains as store

# {(N, s): [Q] float64}, of p = N / s chains of s answers.
Cells = dict[tuple[int, int], np.ndarray]
Chosen = Callable[[int, int], np.ndarray]


def cells(budgets: Sequence[int], value: Chosen) -> Cells:
  """The value at every ratio of every budget; `value` takes (s, p)."""
  return {
    (n, s): value(s, n // s) for n in budgets for s in revisions.LENGTHS[n]
  }


def by_verifier(
  chains: store.Chains, score: np.ndarray, *, seed: int = 0, draws: int = 200
) -> Chosen:
  """Best-of-N weighted inside each chain, then across: (s, p) -> [Q].

  Args:
    chains: of a run.
    score: [Q, A], probabilities.
    seed: of the draws of chains.
    draws: of them.
  """
  answers = _whole(chains)

  def value(length: int, count: int) -> np.ndarray:
    return revisions.hierarchical(
      chains.prefixes(answers, length),
      chains.prefixes(chains.answers.correct, length),
      chains.prefixes(score, length),
      count,
      seed=seed,
      draws=draws,
    )

  return value


def by_score(chains: store.Chains, score: np.ndarray) -> Chosen:
  """The answer of the highest score: (s, p) -> [Q]; see `by_verifier`."""
  answers = _whole(chains)

  def value(length: int, count: int) -> np.ndarray:
    return revisions.best_score(
      chains.prefixes(answers, length),
      chains.prefixes(chains.answers.correct, length),
      chains.prefixes(score, length),
      count,
    )

  return value


def by_majority(
  chains: store.Chains, *, seed: int = 0, draws: int = 200
) -> Chosen:
  """The most frequent of all answers: (s, p) -> [Q]; see `by_verifier`."""
  answers = _whole(chains)

  def value(length: int, count: int) -> np.ndarray:
    return revisions.majority(
      chains.prefixes(answers, length),
      chains.prefixes(chains.answers.correct, length),
      count,
      seed=seed,
      draws=draws,
    )

  return value


def by_any(chains: store.Chains) -> Chosen:
  """Whether any answer is right: (s, p) -> [Q]; no verifier reaches more."""

  def value(length: int, count: int) -> np.ndarray:
    some = np.any(chains.prefixes(chains.answers.correct, length), axis=-1)
    return estimators.pass_at_k(some, [count])[:, 0]

  return value


def ratio_curves(values: Cells, seed: int = 0) -> dict[str, Any]:
  """{N: {"s:p": interval}}, the most parallel first."""
  found: dict[str, Any] = {}
  for (n, s), right in values.items():
    name = revisions.ratio(s, n // s)
    interval = intervals.bootstrap(right, seed=seed).summary()
    found.setdefault(str(n), {})[name] = interval
  return found


def ratio_curves_by_bin(
  values: Cells, pass_at_1: np.ndarray, seed: int = 0
) -> list[dict[str, Any]]:
  """The same in each difficulty bin, the easiest first.

  Args:
    values: of all questions.
    pass_at_1: [Q], of samples that are not these answers.
    seed: of the resampling.
  """
  bins = difficulty.quantile_bins(pass_at_1)
  return [
    ratio_curves({k: v[bins == one] for k, v in values.items()}, seed)
    for one in range(difficulty.BINS)
  ]


def sequential_vs_parallel(values: Cells, seed: int = 0) -> dict[str, Any]:
  """{N: one chain, N chains of one answer, and their paired difference}."""
  found = {}
  for n in sorted({n for n, _ in values if n > 1}):
    one, many = values[n, n], values[n, 1]
    found[str(n)] = {
      "sequential": intervals.bootstrap(one, seed=seed).summary(),
      "parallel": intervals.bootstrap(many, seed=seed).summary(),
      "difference": intervals.paired_difference(one, many, seed=seed).summary(),
    }
  return found


def best_ratio(values: Cells, seed: int = 0) -> dict[str, Any]:
  """{N: the best ratio and what it gains over all parallel}.

  The best of several is best by luck too: `difference` takes for each question
  the ratio that is best on the other half of the questions.
  """
  found = {}
  for n in sorted({n for n, _ in values if n > 1}):
    sizes = [s for m, s in values if m == n]
    table = np.stack([values[n, s] for s in sizes], 1)
    half = np.arange(len(table)) % 2
    chosen = [table[half != side].mean(0).argmax() for side in (0, 1)]
    picked = table[np.arange(len(table)), np.array(chosen)[half]]
    best = sizes[int(table.mean(0).argmax())]
    found[str(n)] = {
      "ratio": revisions.ratio(best, n // best),
      "value": intervals.bootstrap(values[n, best], seed=seed).summary(),
      "difference": intervals.paired_difference(
        picked, values[n, 1], seed=seed
      ).summary(),
    }
  return found


def verifier_ablation(
  chains: store.Chains,
  scores: Mapping[str, np.ndarray],
  budgets: Sequence[int],
  *,
  seed: int = 0,
) -> dict[str, Any]:
  """What each verifier of the chains is worth.

  Args:
    chains: of a run.
    scores: {name: [Q, A]}, as `store.chains.load_scores` gives them.
    budgets: N, of one chain of N answers.
    seed: of draws and of the resampling.

  Returns:
    {name: `auc` over all whole answers and `auc_within_question`, each None
    where right or wrong ones are lacking, and `sequential`, {N: interval} of
    best-of-N weighted in one chain}.
  """
  whole = chains.answers.finished
  right = chains.answers.correct
  found = {}
  for name, score in scores.items():
    within = verification.mean_within(
      verification.auc_within_question(score, right, whole), seed=seed
    )
    value = by_verifier(chains, score, seed=seed)
    auc = verification.auc(score[whole], right[whole])
    found[name] = {
      "auc": None if np.isnan(auc) else auc,
      "auc_within_question": within.summary() if within else None,
      "sequential": {
        str(n): intervals.bootstrap(value(n, 1), seed=seed).summary()
        for n in budgets
      },
    }
  return found


def ledger(
  chains: store.Chains,
  prompt_length: np.ndarray,
  budgets: Sequence[int],
  count: chain_flops.Count,
) -> dict[str, Any]:
  """Mean tokens and FLOPs a question, {N: {"s:p": {entry: number}}}.

  Args:
    chains: of a run.
    prompt_length: [Q] int.
    budgets: N.
    count: FLOPs, the verifier's among them.
  """
  found: dict[str, Any] = {}
  for n in budgets:
    for s in revisions.LENGTHS[n]:
      p = n // s

      def total(values: np.ndarray, s: int = s, p: int = p) -> np.ndarray:
        return p * chains.prefixes(values, s).sum(-1).mean(1)

      spent = chain_flops.of_chains(chains, prompt_length, total)
      found.setdefault(str(n), {})[revisions.ratio(s, p)] = {
        "generated": float(spent.generated.mean()),
        "prefilled": float(np.mean(spent.cost.prefilled)),
        "flops": float(np.mean(count(spent))),
      }
  return found


def combined(
  path: str | os.PathLike[str], budgets: Sequence[int], *, seed: int = 0
) -> dict[int, np.ndarray]:
  """How right searches are whose solutions were each revised once.

  Args:
    path: of a run with chains that begin with what a search found.
    budgets: of the searches, each as many solutions.
    seed: of random subsets.

  Returns:
    {N, twice the search's budget: [Q] float64}, by the revision verifier over
    chains of two: the solution and its revision. {} without budgets.
  """
  if not budgets:
    return {}
  chains = store.load_chains(path, store.OF_SEARCH)
  score = store.load_scores(path, chains, store.SCORES_OF_SEARCH)
  values, first = {}, 0
  for budget in budgets:
    mine = slice(first, first + budget)
    answers, right, scores = (
      chains.prefixes(table, 2)[:, mine]
      for table in (_whole(chains), chains.answers.correct, score)
    )
    values[2 * budget] = revisions.hierarchical(
      answers, right, scores, budget, seed=seed
    )
    first += budget
  return values


def against(
  values: Mapping[int, np.ndarray], other: Cells, seed: int = 0
) -> dict[str, Any]:
  """{N: interval of a method, less one chain, less N chains of one answer}.

  Args:
    values: {N: [Q]} of the method.
    other: of chains, at the same N among others.
    seed: of the resampling.
  """
  return {
    str(n): {
      "value": intervals.bootstrap(right, seed=seed).summary(),
      "less_sequential": intervals.paired_difference(
        right, other[n, n], seed=seed
      ).summary(),
      "less_parallel": intervals.paired_difference(
        right, other[n, 1], seed=seed
      ).summary(),
    }
    for n, right in values.items()
  }


def summarise(
  chains: store.Chains,
  scores: Mapping[str, np.ndarray],
  pass_at_1: np.ndarray,
  prompt_length: np.ndarray,
  budgets: Sequence[int],
  count: chain_flops.Count,
  *,
  by: str = "history",
  combined: Mapping[int, np.ndarray] | None = None,
  chosen: Cells | None = None,
  predicted: np.ndarray | None = None,
  seed: int = 0,
) -> dict[str, Any]:
  """All of a run's numbers on revisions.

  Args:
    chains: of a run.
    scores: of its answers, by name.
    pass_at_1: [Q], of the base model's samples: it places the bins.
    prompt_length: [Q] int.
    budgets: N, each one of `revisions.LENGTHS` that the chains hold.
    count: FLOPs, the verifier's among them.
    by: the scores that choose.
    combined: of searches whose solutions were revised, as `combined` gives it.
    chosen: by those scores, as `cells` gives it, where it is known already.
    predicted: [Q], difficulty by a verifier's scores: it places bins too.
    seed: of draws and of the resampling.
  """
  score = scores[by]
  if chosen is None:
    chosen = cells(budgets, by_verifier(chains, score, seed=seed))
  placed = {}
  if predicted is not None:
    shown = ratio_curves_by_bin(chosen, predicted, seed)
    placed["ratio_curves_by_predicted_bin"] = shown
  highest = cells(budgets, by_score(chains, score))
  voted = cells(budgets, by_majority(chains, seed=seed))
  ways = {"verifier": chosen, "score": highest, "majority": voted}
  return {
    **revision_turns.along_chain(chains, seed),
    "chosen_by": by,
    "sequential_vs_parallel": {
      name: sequential_vs_parallel(values, seed)
      for name, values in ways.items()
    },
    "best_ratio": {
      name: best_ratio(values, seed) for name, values in ways.items()
    },
    "ratio_curves": ratio_curves(chosen, seed),
    "ratio_curves_by_bin": ratio_curves_by_bin(chosen, pass_at_1, seed),
    **placed,
    "ratios_by_difficulty": revision_contrasts.by_difficulty(
      chosen, pass_at_1, seed=seed
    ),
    "score_curves": ratio_curves(highest, seed),
    "majority_curves": ratio_curves(voted, seed),
    "any_right_curves": ratio_curves(cells(budgets, by_any(chains)), seed),
    "majority_curves_by_bin": ratio_curves_by_bin(voted, pass_at_1, seed),
    "verifier_ablation": verifier_ablation(chains, scores, budgets, seed=seed),
    "combined": against(combined or {}, chosen, seed),
    "ledger": ledger(chains, prompt_length, budgets, count),
  }


def _whole(chains: store.Chains) -> np.ndarray:
  """[Q, A] int32, the answers; -1 where one was cut, or states none."""
  found = chains.answers
  return np.where(found.finished, found.answers, -1).astype(np.int32)
