"""A page's sections on a verifier and on searches against it."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import figure

from tts_jax.report import (
  document,
  figures,
  search_figures,
  verifier_figures,
)

Summary = Mapping[str, Any]

_MEASURES = {
  "AUC over all steps": ("auc", "logprob_auc"),
  "AUC of solutions": ("auc_final", "logprob_auc_final"),
  "AUC within a question": (
    "auc_within_question",
    "logprob_auc_within_question",
  ),
  "calibration error, steps": ("ece", "logprob_ece"),
  "calibration error, solutions": ("ece_final", "logprob_ece_final"),
}
_REGIMES = {
  "auc": "AUC over all steps",
  "auc_within_question": "AUC within a question",
  "ece": "calibration error",
  "best_of_n_weighted": "weighted best-of-N",
  "pass_at_1": "pass@1 of its generator",
}


def verifier(summary: Summary) -> list[str]:
  """How well the verifier judges and chooses, HTML; nothing without one.

  Args:
    summary: a run's, with `verifier` where there is one.
  """
  found = summary.get("verifier")
  if found is None:
    return []
  parts = ["<h2>The verifier</h2>", _measures(found)]
  if any(point["count"] for point in found["calibration_final"]):
    parts.append(
      _figure(
        search_figures.calibration(found),
        "share of right solutions against the verifier's score",
        "Samples in ten bins by the score of their last step. On the dotted"
        " line a score is the chance to be right.",
      )
    )
  parts += [
    _figure(
      search_figures.best_of_n_against_weighted(found),
      "best-of-N, its weighted form and majority against N",
      "The sample of the highest score, the answer of the largest sum of"
      " scores, and the most frequent answer. Where best-of-N falls with N,"
      " samples were found that the verifier likes and should not.",
    ),
    _figure(
      search_figures.aggregations(found),
      "weighted best-of-N by last, least and product of step scores",
      "A solution's score from its steps': the last, the least, the product.",
    ),
    *_regimes(found.get("regimes", {})),
  ]
  return parts


def search(summary: Summary) -> list[str]:
  """What each search reached and spent, HTML; nothing without searches.

  Args:
    summary: a run's, with `curves`, `curves_by_bin`, `ledger` and `comparisons`
      where there are searches.
  """
  if "ledger" not in summary:
    return []
  curves, ledger = summary["curves"], summary["ledger"]
  parts = [
    "<h2>Search against the verifier</h2>",
    _figure(
      search_figures.methods_by_flops(curves, ledger),
      "accuracy of each method against generations and against FLOPs",
      "By weighted vote. Left, the paper's axis: candidates in play. Right,"
      " what they cost, the tokens that were cut and the verifier's own work"
      " counted in. Bands are 95% intervals by bootstrap over questions.",
      wide=True,
    ),
    _curves(curves, ledger),
  ]
  by_bin, beam = summary["curves_by_bin"], _beam(curves)
  if beam is not None and search_figures.shared_budgets(by_bin, beam):
    parts += [
      "<h3>By difficulty</h3>",
      _figure(
        search_figures.beam_by_bin(by_bin, beam=beam),
        "beam search and weighted best-of-N in each difficulty bin",
        "Beam search beside weighted best-of-N of as many generations. Bins"
        " are placed by one half of the pool's samples; weighted best-of-N is"
        " drawn from the other.",
        wide=True,
      ),
    ]
  return [*parts, *_comparisons(summary["comparisons"])]


def weak_verifiers(summary: Summary) -> list[str]:
  """What a weak verifier leaves of the gain, HTML; nothing without one.

  Args:
    summary: a run's, with `weak_verifiers` where it has a verifier.
  """
  found = summary.get("weak_verifiers")
  if not found:
    return []
  return [
    "<h2>Weak verifiers</h2>",
    _figure(
      verifier_figures.weak_verifiers(found),
      "best-of-N weighted by a worsened verifier, and votes without one",
      "Best-of-N weighted by the verifier, and by the same with a share of its"
      " scores turned round; a vote, and a vote over one chain of revisions.",
    ),
  ]


def _figure(
  drawn: figure.Figure, alt: str, caption: str, *, wide: bool = False
) -> str:
  return document.figure(figures.to_svg(drawn), alt, caption, wide=wide)


def _number(value: float | None) -> str:
  return "none" if value is None else f"{value:.3f}"


def _measures(found: Summary) -> str:
  rows = [
    (name, _number(found[own]), _number(found.get(bar)))
    for name, (own, bar) in _MEASURES.items()
  ]
  wrong = found.get("first_error")
  if wrong is not None:
    rows.append(("F1 of the first wrong step", _number(wrong["f1"]), ""))
  return document.table(("", "verifier", "log-probability"), rows)


def _regimes(regimes: Summary) -> list[str]:
  if not regimes:
    return []
  rows = [
    (document.text(name), *(cell(one.get(key)) for key in _REGIMES))
    for name, one in regimes.items()
  ]
  return [
    "<h3>How much of the backbone it shares</h3>",
    document.table(("", *_REGIMES.values()), rows),
    "<p>Measured when the verifier was made; the runs are in its card.</p>",
    *_outcome(regimes),
  ]


def _outcome(regimes: Summary) -> list[str]:
  """The figure of a process against an outcome reward model, of one regime."""
  if not {"frozen", "outcome"} <= set(regimes):
    return []
  return [
    _figure(
      search_figures.prm_against_orm(regimes["frozen"], regimes["outcome"]),
      "weighted best-of-N by a process and by an outcome reward model",
      "Trained alike, on labels of every step and of the last step alone.",
    )
  ]


def cell(value: Any) -> str:
  """A number, an interval, or None, in figures, HTML."""
  return (
    document.interval(value) if isinstance(value, Mapping) else _number(value)
  )


def _beam(curves: search_figures.Curves) -> str | None:
  return next(
    (name for name in ("beam_4", "beam_sqrt") if name in curves), None
  )


def _curves(curves: search_figures.Curves, ledger: Summary) -> str:
  searched = {
    budget
    for name in curves
    if name not in ("majority", "best_of_n", "best_of_n_weighted")
    for budget in curves[name]
  }
  budgets: Sequence[str] = sorted(searched, key=int)
  rows = [
    (
      label,
      *(
        document.interval(curves[name][budget])
        + f"<br><small>{ledger[name][budget]['flops']:.1e} FLOPs</small>"
        if budget in curves[name]
        else ""
        for budget in budgets
      ),
    )
    for name, (label, _) in search_figures.METHODS.items()
    if name in curves
  ]
  return document.table(("N", *budgets), rows)


def _comparisons(comparisons: Summary) -> list[str]:
  if not comparisons:
    return []
  rows = [
    (document.text(name.replace("_", " ")), document.interval(one))
    for name, one in comparisons.items()
  ]
  return [
    "<h3>Differences on the same questions</h3>",
    document.table(("", "difference"), rows),
  ]
