"""Figures of accuracy against samples.

Each function takes the dictionary of `scaling.summary.summarise` and returns a
figure of its own: nothing here touches pyplot's global state or a display.
"""

import io
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib import axes, figure, ticker

# Okabe and Ito's palette: apart for every common colour blindness. Markers and
# dashes differ as well, for print in grey.
_PASS: dict[str, Any] = {"color": "#0072B2", "marker": "o", "linestyle": "-"}
_MAJORITY: dict[str, Any] = {
  "color": "#D55E00",
  "marker": "s",
  "linestyle": "--",
}
_STYLE: dict[Any, Any] = {
  "font.size": 8,
  "axes.labelsize": 8,
  "axes.titlesize": 8,
  "axes.spines.top": False,
  "axes.spines.right": False,
  "axes.linewidth": 0.6,
  "axes.grid": True,
  "grid.color": "#dddddd",
  "grid.linewidth": 0.5,
  "legend.frameon": False,
  "lines.linewidth": 1.4,
  "lines.markersize": 3.5,
  "xtick.labelsize": 7,
  "ytick.labelsize": 7,
  "svg.fonttype": "path",
  # Element names are hashes; without a salt of ours they differ by run.
  "svg.hashsalt": "tts_jax",
}
# More labels than this would touch at a column's width.
_MAX_LABELS = 9

Summary = Mapping[str, Any]


def accuracy_by_samples(
  summary: Summary, *, width: float = 3.4, height: float = 2.5
) -> figure.Figure:
  """pass@k and majority@k over all questions, with interval bands.

  Args:
    summary: with `questions`, `pass_at_k` and `majority_at_k`.
    width: in inches; 3.3 and more stay readable.
    height: in inches.

  Returns:
    A figure of one panel.
  """
  with mpl.rc_context(_STYLE):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    panel = fig.add_subplot()
    _curves(panel, summary, _MAX_LABELS)
    panel.set_xlabel("samples a question, k")
    panel.set_ylabel("share of questions correct")
    panel.legend(loc="best")
  return fig


def accuracy_by_bin(
  summary: Summary, *, width: float = 7.0, height: float = 2.2
) -> figure.Figure:
  """pass@k and majority@k in each difficulty bin, a panel a bin.

  Args:
    summary: with `bins`, each with `questions`, `pass_at_k`, `majority_at_k`.
    width: in inches, for all panels together.
    height: in inches.

  Returns:
    A figure with the easiest bin on the left.
  """
  bins = summary["bins"]
  with mpl.rc_context(_STYLE):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    panels = fig.subplots(1, len(bins), sharey=True, squeeze=False)[0]
    for index, (panel, one) in enumerate(zip(panels, bins, strict=True)):
      _curves(panel, one, max_labels=4)
      panel.set_title(f"{bin_name(index, len(bins))} (n = {one['questions']})")
    panels[0].set_ylabel("share correct")
    fig.supxlabel("samples a question, k", fontsize=8)
    fig.legend(
      *panels[0].get_legend_handles_labels(),
      loc="outside upper center",
      ncols=2,
    )
  return fig


def bin_name(index: int, bins: int) -> str:
  """What readers call a bin, counted from 1."""
  if index == 0:
    return "1, easiest"
  return f"{index + 1}, hardest" if index == bins - 1 else str(index + 1)


def to_svg(fig: figure.Figure) -> bytes:
  """The figure as SVG, the same bytes for the same figure."""
  buffer = io.BytesIO()
  with mpl.rc_context(_STYLE):
    fig.savefig(buffer, format="svg", metadata={"Date": None})
  return buffer.getvalue()


def _curves(panel: axes.Axes, summary: Summary, max_labels: int) -> None:
  ks = sorted(int(k) for k in summary["pass_at_k"])
  for name, label, style in (
    ("pass_at_k", "pass@k", _PASS),
    ("majority_at_k", "majority@k", _MAJORITY),
  ):
    mean, low, high = (
      [summary[name][str(k)][part] for k in ks]
      for part in ("mean", "low", "high")
    )
    panel.plot(ks, mean, label=label, **style)
    panel.fill_between(
      ks, low, high, color=style["color"], alpha=0.18, linewidth=0
    )
  panel.set_xscale("log", base=2)
  # Labelled from the right, so that the whole budget always has its label.
  every = -(-len(ks) // max_labels)
  panel.set_xticks(ks[::-1][::every], [str(k) for k in ks[::-1][::every]])
  panel.xaxis.set_minor_locator(ticker.NullLocator())
  panel.set_ylim(-0.02, 1.02)
  panel.yaxis.set_major_locator(ticker.MultipleLocator(0.2))
