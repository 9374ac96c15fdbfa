"""The page of a verifier that looked for first wrong steps: ProcessBench."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib import figure

from tts_jax.report import document, figures, style

_LOOKS: tuple[Mapping[str, Any], ...] = (
  style.BLUE,
  style.VERMILION,
  style.GREEN,
  style.PURPLE,
  style.ORANGE,
  style.SKY,
)
# Between the markers of a curve, in points of it.
_MARKED = 10


def f1_by_threshold(
  summary: Mapping[str, Any], *, width: float = 5.0, height: float = 3.0
) -> figure.Figure:
  """F1 against the threshold, a line a file; dotted, the thresholds used.

  Args:
    summary: as `scaling.processbench_summary.summarise` makes it; a file
      without a curve is left out.
    width: in inches.
    height: in inches.
  """
  there = {n: one for n, one in summary["subsets"].items() if one["curve"]}
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    panel = fig.add_subplot()
    for index, (name, one) in enumerate(there.items()):
      look = _LOOKS[index % len(_LOOKS)]
      curve = one["curve"]
      panel.plot(
        curve["threshold"],
        curve["f1"],
        label=name,
        markevery=(index, _MARKED),
        **look,
      )
      for threshold in one["thresholds"]:
        panel.axvline(
          threshold, color=look["color"], linewidth=0.7, linestyle=":"
        )
    panel.set_xlim(0, 1)
    panel.set_ylim(-0.02, 1.02)
    panel.set_xlabel("threshold: the first step below it is wrong")
    panel.set_ylabel("F1")
    if there:
      panel.legend(loc="best")
  return fig


def render(
  summary: Mapping[str, Any], *, title: str, settings: Mapping[str, Any]
) -> str:
  """A whole HTML document.

  Args:
    summary: as `scaling.processbench_summary.summarise` makes it.
    title: the page's heading.
    settings: what the run was made with, by name, in the order to show.
  """
  parts = [f"<h1>{document.text(title)}</h1>", _table(summary)]
  if summary["average_f1"] is not None:
    parts.append(f"<p>Average F1: {summary['average_f1']:.3f}</p>")
  parts += [
    "<h2>F1 against the threshold</h2>",
    document.figure(
      figures.to_svg(f1_by_threshold(summary)),
      "F1 against the threshold, a line for each file",
      "Dotted lines are the thresholds that were used. The best of a curve is"
      " not a result: it was found on the solutions that it is drawn of.",
    ),
    "<h2>Settings</h2>",
    document.pairs(settings),
  ]
  return document.render(title, parts)


def _table(summary: Mapping[str, Any]) -> str:
  header = (
    "solutions of",
    "with a wrong step",
    "first one found",
    "without one",
    "passed",
    "F1",
    "threshold",
  )
  rows = []
  for name, one in summary["subsets"].items():
    cells = [
      document.interval(one[key]) if one[key] else "none"
      for key in ("accuracy_erroneous", "accuracy_correct", "f1")
    ]
    at = ", ".join(f"{each:.3f}" for each in one["thresholds"])
    rows.append(
      (
        document.text(name),
        f"{one['erroneous']:,}",
        cells[0],
        f"{one['samples'] - one['erroneous']:,}",
        cells[1],
        cells[2],
        document.text(f"{at} ({one['threshold_from']})"),
      )
    )
  return document.table(header, rows)
