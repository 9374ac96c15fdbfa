"""A run as one HTML file that needs nothing but itself.

Figures are inline, styles are inline, nothing is fetched and nothing runs.
Every text from outside, of questions and of models, is escaped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tts_jax.report import (
  claim_sections,
  document,
  exchange_sections,
  figures,
  policy_sections,
  revision_sections,
  search_sections,
  transcripts,
)

Summary = Mapping[str, Any]


def render(
  summary: Summary,
  *,
  title: str,
  settings: Mapping[str, Any],
  samples: Sequence[transcripts.Transcript] = (),
  links: Mapping[str, str] | None = None,
) -> str:
  """Writes a run's page.

  Args:
    summary: as `scaling.summary.summarise` makes it, and optionally what a
      verifier and searches add, and what the run cost: `tokens_generated`,
      `seconds`, `row_utilisation` (0 to 1).
    title: the page's heading.
    settings: what the run was made with, by name, in the order to show: the
      command, config, commit, seed, model.
    samples: questions to read, with completions.
    links: relative URLs of other pages of the run, by name, to show on top.

  Returns:
    A whole HTML document.
  """
  parts = [
    f"<h1>{document.text(title)}</h1>",
    *document.links(links or {}),
    _headline(summary),
    "<h2>Accuracy against samples</h2>",
    document.figure(
      figures.to_svg(figures.accuracy_by_samples(summary, width=5, height=3)),
      "pass@k and majority@k against k, over all questions",
      "Over all questions. Each value is the expectation over all subsets of k"
      " samples of a question's pool; bands are 95% intervals by bootstrap over"
      " questions.",
    ),
    _by_k(summary),
    "<h2>By difficulty</h2>",
    document.figure(
      figures.to_svg(figures.accuracy_by_bin(summary)),
      "pass@k and majority@k against k, by difficulty bin",
      "Bins are fifths of the questions by pass@1. One half of the samples"
      " places a question, the other half scores it, and the reverse.",
      wide=True,
    ),
    _by_bin(summary["bins"]),
    *_by_group("questions of templates", summary.get("groups", {}), summary),
    *(
      table
      for name, found in summary.get("slices", {}).items()
      for table in _by_group(name, found, summary)
    ),
    *search_sections.verifier(summary),
    *search_sections.search(summary),
    *search_sections.weak_verifiers(summary),
    *revision_sections.revisions(summary),
    *policy_sections.difficulty(summary),
    *policy_sections.policy(summary),
    *exchange_sections.exchange(summary),
    *claim_sections.claims(summary),
    "<h2>Settings</h2>",
    document.pairs(settings),
    *_cost(summary),
  ]
  if samples:
    parts += ["<h2>Samples</h2>", *(_transcript(one) for one in samples)]
  return document.render(title, parts)


def _headline(summary: Summary) -> str:
  most = max(summary["pass_at_k"], key=int)
  cards = {
    "pass@1": summary["pass_at_k"]["1"],
    f"majority@{most}": summary["majority_at_k"][most],
    f"pass@{most}": summary["pass_at_k"][most],
    f"room: pass@{most} minus majority@{most}": summary["room"][most],
  }
  body = "".join(
    f"<div><b>{one['mean']:.3f}</b><span>{document.text(name)}</span>"
    f"<small>95%: {one['low']:.3f} to {one['high']:.3f}</small></div>"
    for name, one in cards.items()
  )
  return (
    f'<div class="cards">{body}</div>\n<p>{summary["questions"]:,} questions,'
    f" {summary['samples']:,} samples each.</p>"
  )


def _by_k(summary: Summary) -> str:
  passed, majority = summary["pass_at_k"], summary["majority_at_k"]
  rows = [
    (k, document.interval(passed[k]), document.interval(majority[k]))
    for k in sorted(passed, key=int)
  ]
  return document.table(("k", "pass@k", "majority@k"), rows)


def _by_bin(bins: Sequence[Summary]) -> str:
  most = max(bins[0]["pass_at_k"], key=int)
  header = ("bin", "questions", "pass@1", f"majority@{most}", f"pass@{most}")
  rows = [
    (
      figures.bin_name(index, len(bins)),
      str(one["questions"]),
      document.interval(one, mean="pass_at_1"),
      document.interval(one["majority_at_k"][most]),
      document.interval(one["pass_at_k"][most]),
    )
    for index, one in enumerate(bins)
  ]
  return document.table(header, rows)


def _by_group(kind: str, groups: Summary, summary: Summary) -> list[str]:
  if len(groups) < 2:
    return []
  ks = [k for k in ("1", "64", "256") if k in summary["pass_at_k"]]
  rows = [
    (
      document.text(name),
      str(one["questions"]),
      *(document.interval(one["pass_at_k"][k]) for k in ks),
    )
    for name, one in groups.items()
  ]
  header = (kind, "questions", *(f"pass@{k}" for k in ks))
  return [document.table(header, rows)]


def _cost(summary: Summary) -> list[str]:
  pairs = {}
  if "tokens_generated" in summary:
    pairs["tokens generated"] = f"{summary['tokens_generated']:,}"
  if "seconds" in summary:
    pairs["seconds"] = f"{summary['seconds']:,.1f}"
  if summary.get("seconds") and "tokens_generated" in summary:
    rate = summary["tokens_generated"] / summary["seconds"]
    pairs["tokens a second"] = f"{rate:,.0f}"
  if "verdicts" in summary:
    counted = summary["verdicts"].items()
    pairs["verdicts"] = ", ".join(f"{n:,} {word}" for word, n in counted)
  if "truncated" in summary:
    pairs["cut at the limit"] = f"{summary['truncated']:,} samples"
  if "row_utilisation" in summary:
    share = summary["row_utilisation"]
    pairs["row utilisation"] = f"{share:.1%} of row-steps made a kept token"
  return ["<h2>Cost</h2>", document.pairs(pairs)] if pairs else []


def _transcript(one: transcripts.Transcript) -> str:
  samples = "\n".join(_sample(sample) for sample in one.samples)
  return (
    f"<article><h3>{document.text(one.level)}: pass@1 {one.pass_at_1:.2f}"
    "</h3>\n"
    f'<p class="question">{document.text(one.question)}</p>\n'
    f"<p>Right answer: <b>{document.text(one.answer)}</b></p>\n"
    f"{samples}</article>"
  )


def _sample(sample: transcripts.Sample) -> str:
  verdict = "correct" if sample.verdict == "correct" else "other"
  answer = "none" if sample.answer is None else sample.answer
  cut = "" if sample.finished else " · cut at the limit"
  # Nothing is so sure: of samples made elsewhere it is not known.
  known = f" · log-probability {sample.logprob:.2f}" if sample.logprob else ""
  return (
    f'<section class="{verdict}"><p><b>{document.text(sample.verdict)}</b>'
    f" · answer {document.text(answer)}"
    f"{known}{cut}</p>"
    f"<pre>{document.text(sample.text)}</pre></section>"
  )
