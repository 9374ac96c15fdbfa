"""A page's sections on chains of revisions."""

from collections.abc import Mapping
from typing import Any

from matplotlib import figure

from tts_jax.report import (
  document,
  figures,
  revision_figures,
  search_sections,
)

Summary = Mapping[str, Any]


def revisions(summary: Summary) -> list[str]:
  """What revisions reached, HTML; nothing without chains.

  Args:
    summary: a run's, with `revisions` where it ran chains.
  """
  found = summary.get("revisions")
  if found is None:
    return []
  other = found.get("rest_em", {}).get("pass_at_1_along_chain", ())
  return [
    "<h2>Revisions</h2>",
    _along(found),
    _figure(
      revision_figures.along_chain(found, other),
      "share of right answers at each turn of a chain",
      "Each answer is written with the latest ones before it in view. Bands are"
      " 95% intervals by bootstrap over questions.",
    ),
    *_ratios(found),
    "<h3>What judges the answers</h3>",
    _figure(
      revision_figures.by_verifier(found),
      "one chain of N answers, judged by each verifier",
      "The revision verifier reads an answer behind its context, or alone; the"
      " base model's knows no revisions.",
    ),
    _verifiers(found["verifier_ablation"]),
    *_combined(found.get("combined", {})),
  ]


def _judge(found: Summary) -> str:
  """Whose scores choose among the answers."""
  return "the " + revision_figures.VERIFIERS[found["chosen_by"]][0]


def _ratios(found: Summary) -> list[str]:
  """Sequential against parallel; nothing where each question has one answer."""
  if not found["sequential_vs_parallel"]["verifier"]:
    return []
  return [
    _figure(
      revision_figures.sequential_against_parallel(found),
      "one chain of N answers against N single answers",
      f"By {_judge(found)}, best-of-N weighted in each chain and then over"
      " chains; and by a vote over all answers.",
    ),
    _budgets(found),
    "<p>The best ratio is the best of several, by luck too. Its gain, over N"
    " single answers to the same questions, is not: each half of the questions"
    " takes the ratio that is best on the other half.</p>",
    _ways(found),
    "<h3>Sequential or parallel</h3>",
    _figure(
      revision_figures.ratios(found),
      "accuracy against the ratio of sequential to parallel, by verifier",
      f"Each N is spent on p chains of s answers, s times p being N, by"
      f" {_judge(found)}. Bins are placed by the base model's samples.",
      wide=True,
    ),
    _figure(
      revision_figures.ratios(found, by="majority_curves"),
      "accuracy against the ratio of sequential to parallel, by majority",
      "The same with a vote over all answers.",
      wide=True,
    ),
  ]


def _figure(
  drawn: figure.Figure, alt: str, caption: str, *, wide: bool = False
) -> str:
  return document.figure(figures.to_svg(drawn), alt, caption, wide=wide)


def _along(found: Summary) -> str:
  rows = [
    (f"answer {turn}", document.interval(one))
    for turn, one in enumerate(found["pass_at_1_along_chain"][:5], 1)
  ]
  for key, name in (
    ("fourth_minus_first", "fourth less first, same chains"),
    ("spoiled_share", "right answers that the next revision spoils"),
    ("mended_share", "wrong answers that the next revision mends"),
  ):
    if key in found:
      rows.append((name, document.interval(found[key])))
  return document.table(("", "share"), rows)


def _budgets(found: Summary) -> str:
  both = found["sequential_vs_parallel"]["verifier"]
  best = found["best_ratio"]["verifier"]
  rows = [
    (
      n,
      document.interval(one["parallel"]),
      document.interval(one["sequential"]),
      f"{document.text(best[n]['ratio'])}: "
      + document.interval(best[n]["value"]),
      document.interval(best[n]["difference"]),
    )
    for n, one in both.items()
  ]
  header = ("N", "parallel", "sequential", "best ratio", "its gain")
  return document.table(header, rows)


def _ways(found: Summary) -> str:
  """The ways of choosing, at the largest N."""
  both, best = found["sequential_vs_parallel"], found["best_ratio"]
  most = max(both["verifier"], key=int)
  rows = [
    (
      label,
      document.interval(both[way][most]["parallel"]),
      document.interval(both[way][most]["sequential"]),
      document.interval(best[way][most]["difference"]),
    )
    for way, label in (
      ("verifier", "best-of-N weighted"),
      ("score", "highest score"),
      ("majority", "majority"),
    )
  ]
  header = (f"chosen by, N = {most}", "parallel", "sequential", "gain")
  return document.table(header, rows)


def _verifiers(found: Summary) -> str:
  rows = [
    (
      document.text(label),
      search_sections.cell(found[name]["auc"]),
      search_sections.cell(found[name]["auc_within_question"]),
    )
    for name, (label, _) in revision_figures.VERIFIERS.items()
    if name in found
  ]
  header = ("", "AUC over all answers", "AUC within a question")
  return document.table(header, rows)


def _combined(found: Summary) -> list[str]:
  if not found:
    return []
  rows = [
    (
      n,
      *(
        document.interval(one[key])
        for key in ("value", "less_sequential", "less_parallel")
      ),
    )
    for n, one in found.items()
  ]
  header = ("N", "search, then revisions", "less one chain", "less parallel")
  return [
    "<h3>Search and revision together</h3>",
    document.table(header, rows),
    "<p>Beam search by the base model takes half of the N generations; each of"
    " its solutions is then revised once, and the revision verifier chooses"
    " among all.</p>",
  ]
