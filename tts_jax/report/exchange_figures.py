"""Figures of pretraining against test time: the paper's figures 9 and 1.

Each function takes dictionaries of `summary.json`, where an interval is
{"mean", "low", "high"}, and returns a figure of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib import axes, figure, lines, ticker

from tts_jax import errors
from tts_jax.report import curves, figures, policy_figures, style

Exchange = Mapping[str, Any]

_BINS = (
  *(style.BLUE, style.SKY, style.GREEN, style.ORANGE, style.VERMILION),
  *(style.PURPLE, style.BLACK, style.GREY),
)
_TITLES = {"search": "search", "revisions": "revisions", "pooled": "pooled"}
# Budgets nearer to each other than this factor fall together in a figure: of
# 258 generations, 256 are measured.
_VISIBLE = 1.02
_ORDER = ("revisions", "search", "pooled")


def exchange(
  found: Exchange,
  *,
  form: str = "v1",
  width: float = 3.4,
  height: float = 2.2,
) -> figure.Figure:
  """The small model by budget, a line a bin, and the large one, a star an R.

  A star stands at the budget that equal FLOPs buy at its R, as high as the
  large model is right in the bin, with that one's interval: a line that passes
  above it wins. A hollow star stands further right than was measured, by more
  than the eye can tell.

  Args:
    found: the `exchange` of a summary.
    form: what inference is charged, one of its `forms`.
    width: in inches.
    height: in inches, of each family's panel.

  Raises:
    InputError: there is no such form, or no family.
  """
  families, budgets = _parts(found, form)
  with mpl.rc_context(style.RC):
    size = (width, 0.55 + height * len(families))
    fig = figure.Figure(figsize=size, layout="constrained")
    grid = fig.subplots(len(families), 1, sharex=True, squeeze=False)
    panels = list(grid[:, 0])
    for panel, name in zip(panels, families, strict=True):
      _bins(panel, found["families"][name]["bins"], form)
      for r, budget in budgets.items():
        panel.axvline(budget, color="#777777", linewidth=0.6, linestyle=":")
        panel.annotate(
          f"R = {r}",
          (budget, 1.0),
          xycoords=("data", "axes fraction"),
          xytext=(0, 2),
          textcoords="offset points",
          ha="center",
          fontsize=6,
        )
      panel.set_title(_TITLES.get(name, name), loc="left", fontweight="bold")
      panel.set_ylabel("share correct")
      panel.set_ylim(-0.03, 1.03)
      panel.yaxis.set_major_locator(ticker.MultipleLocator(0.2))
    measured = {
      int(n)
      for name in families
      for one in found["families"][name]["bins"]
      for n in one.get("curve", ())
    }
    style.budget_axis(panels[-1], sorted(measured))
    panels[-1].set_xlabel("generations a question, N")
    _legend(fig, panels)
  return fig


def overview(
  policy: Mapping[str, Any],
  found: Exchange,
  *,
  form: str = "v1",
  width: float = 3.4,
  height: float = 1.75,
) -> figure.Figure:
  """The paper's first figure: what a policy gains, and what it replaces.

  Args:
    policy: the `policy` of a summary.
    found: its `exchange`; a row for each family that both have.
    form: what inference is charged.
    width: in inches.
    height: in inches, of each row.

  Returns:
    A figure with two panels a row: left, the policy against its baseline;
    right, the small model with test-time compute less the large one, a bar a
    bin at each R. Bars of budgets larger than was measured are hollow.

  Raises:
    InputError: policy and exchange have no family in common, or no such form.
  """
  families, _ = _parts(found, form)
  both = curves.lookup(policy, "families", "policy")
  rows = [name for name in families if name in both]
  if not rows:
    raise errors.InputError(
      f"the policy has {sorted(both)}, the exchange {families}; the overview"
      " needs a family of both"
    )
  with mpl.rc_context(style.RC):
    size = (width, 0.5 + height * len(rows))
    fig = figure.Figure(figsize=size, layout="constrained")
    panels = fig.subplots(len(rows), 2, squeeze=False, sharex="col")
    for (left, right), name in zip(panels, rows, strict=True):
      drawn = policy_figures.optimal_lines(both[name], baseline="baseline")
      curves.draw(left, drawn, max_labels=5)
      left.set_xlabel("")
      left.set_title(_TITLES.get(name, name), loc="left", fontweight="bold")
      left.set_ylabel("share correct")
      _bars(right, found["families"][name]["bins"], form)
      right.set_title("small less large", loc="left")
    panels[-1][0].set_xlabel("generations, N")
    panels[-1][1].set_xlabel("R; bins, easy to hard")
    fig.legend(
      *panels[0][0].get_legend_handles_labels(),
      loc="outside upper center",
      ncols=1,
      fontsize=6,
    )
  return fig


def _parts(found: Exchange, form: str) -> tuple[list[str], Mapping[str, float]]:
  """Families in the order drawn, and {R: budget} of the form."""
  curves.lookup(found, f"forms.{form}", "exchange")
  there = curves.lookup(found, "families", "exchange")
  names = [name for name in _ORDER if name in there]
  names += [name for name in there if name not in _ORDER]
  return names, found["forms"][form]["budgets"]


def _hollow(cell: Mapping[str, Any]) -> bool:
  """Whether the budget is beyond what was measured, as far as one can see."""
  return bool(cell["budget"] > _VISIBLE * cell["measured_at"])


def _bins(
  panel: axes.Axes, bins: Sequence[Mapping[str, Any]], form: str
) -> None:
  for index, (one, look) in enumerate(zip(bins, _BINS, strict=False)):
    if not one["questions"]:
      continue
    label = figures.bin_name(index, len(bins))
    style.curve(panel, one["curve"], label, look)
    large, color = one["large"], look["color"]
    for cell in curves.lookup(one, f"at.{form}", "a bin").values():
      panel.vlines(
        cell["budget"], large["low"], large["high"], color, linewidth=0.8
      )
      panel.plot(
        [cell["budget"]],
        [large["mean"]],
        marker="*",
        markersize=8,
        linestyle="none",
        color=color,
        markerfacecolor="white" if _hollow(cell) else color,
        markeredgecolor=color if _hollow(cell) else "black",
        markeredgewidth=0.9 if _hollow(cell) else 0.4,
        zorder=4,
      )


def _legend(fig: figure.Figure, panels: Sequence[axes.Axes]) -> None:
  handles, labels = panels[0].get_legend_handles_labels()
  grey = "#444444"
  for face, label in (
    (grey, "large model"),
    ("white", "beyond measured"),
  ):
    star = lines.Line2D([], [], color=grey, marker="*", markersize=7)
    star.set_linestyle("none")
    star.set_markerfacecolor(face)
    handles.append(star)
    labels.append(label)
  fig.legend(
    handles,
    labels,
    loc="outside upper center",
    ncols=4,
    fontsize=6,
    columnspacing=1.0,
  )


def _bars(
  panel: axes.Axes, bins: Sequence[Mapping[str, Any]], form: str
) -> None:
  cells = [
    curves.lookup(one, f"at.{form}", "a bin") if one["questions"] else {}
    for one in bins
  ]
  ratios = sorted({r for one in cells for r in one}, key=float)
  step = 0.8 / len(bins)
  for index, (one, look) in enumerate(zip(cells, _BINS, strict=False)):
    for place, r in enumerate(ratios):
      if r not in one:
        continue
      gap, color = one[r]["difference"], look["color"]
      at = place + step * (index - (len(bins) - 1) / 2)
      panel.bar(
        [at],
        [gap["mean"]],
        width=0.9 * step,
        color="white" if _hollow(one[r]) else color,
        edgecolor=color,
        linewidth=0.8,
      )
      panel.plot([at, at], [gap["low"], gap["high"]], "k-", linewidth=0.7)
  panel.axhline(0, color="black", linewidth=0.6)
  panel.set_xticks(range(len(ratios)), ratios)
  panel.grid(False, axis="x")
  panel.set_axisbelow(True)
