"""Figures of accuracy against samples.

Each function takes the dictionary of `scaling.summary.summarise` and returns a
figure of its own: nothing here touches pyplot's global state or a display.
"""

import io
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib import axes, figure, ticker

from tts_jax.report import style

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
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    panel = fig.add_subplot()
    _curves(panel, summary, style.MAX_LABELS)
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
  with mpl.rc_context(style.RC):
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
  with mpl.rc_context(style.RC):
    fig.savefig(buffer, format="svg", metadata={"Date": None})
  return buffer.getvalue()


def to_png(fig: figure.Figure, *, dots: int = 300) -> bytes:
  """The figure as PNG, at so many dots an inch."""
  buffer = io.BytesIO()
  with mpl.rc_context(style.RC):
    fig.savefig(buffer, format="png", dpi=dots, metadata={"Software": None})
  return buffer.getvalue()


def _curves(panel: axes.Axes, summary: Summary, max_labels: int) -> None:
  for name, label, look in (
    ("pass_at_k", "pass@k", style.BLUE),
    ("majority_at_k", "majority@k", style.VERMILION),
  ):
    style.curve(panel, summary[name], label, look)
  ks = sorted(int(k) for k in summary["pass_at_k"])
  style.budget_axis(panel, ks, max_labels)
  panel.set_ylim(-0.02, 1.02)
  panel.yaxis.set_major_locator(ticker.MultipleLocator(0.2))
