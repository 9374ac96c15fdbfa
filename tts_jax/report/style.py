"""How all figures look."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import axes, ticker

# Okabe and Ito's palette: apart for every common colour blindness. Markers and
# dashes differ as well, for print in grey.
BLUE = {"color": "#0072B2", "marker": "o", "linestyle": "-"}
VERMILION = {"color": "#D55E00", "marker": "s", "linestyle": "--"}
GREEN = {"color": "#009E73", "marker": "^", "linestyle": "-."}
PURPLE = {"color": "#CC79A7", "marker": "D", "linestyle": ":"}
ORANGE = {"color": "#E69F00", "marker": "v", "linestyle": "-"}
SKY = {"color": "#56B4E9", "marker": "P", "linestyle": "--"}
BLACK = {"color": "#000000", "marker": "X", "linestyle": "-."}
GREY = {"color": "#777777", "marker": "<", "linestyle": ":"}

RC: dict[Any, Any] = {
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
MAX_LABELS = 9

Curve = Mapping[str, Mapping[str, float]]


def curve(
  panel: axes.Axes,
  values: Curve,
  label: str,
  look: Mapping[str, Any],
  x: Mapping[str, float] | None = None,
) -> None:
  """Draws a line with its interval band.

  Args:
    panel: to draw on.
    values: {budget: {"mean", "low", "high"}}.
    label: for the legend.
    look: one of the looks above.
    x: {budget: where it stands}; None: at the budget itself.
  """
  budgets = sorted(values, key=int)
  places = [int(b) if x is None else x[b] for b in budgets]
  mean, low, high = (
    [values[b][part] for b in budgets] for part in ("mean", "low", "high")
  )
  panel.plot(places, mean, label=label, **look)
  panel.fill_between(
    places, low, high, color=look["color"], alpha=0.18, linewidth=0
  )


def budget_axis(
  panel: axes.Axes, budgets: Sequence[float], max_labels: int = MAX_LABELS
) -> None:
  """Spaces budgets by their logarithm and labels them."""
  panel.set_xscale("log", base=2)
  # Labelled from the right, so that the whole budget always has its label.
  every = -(-len(budgets) // max_labels)
  ticks = list(budgets)[::-1][::every]
  panel.set_xticks(ticks, [f"{k:g}" for k in ticks])
  panel.xaxis.set_minor_locator(ticker.NullLocator())
