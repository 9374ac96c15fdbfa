"""Figures of chains of revisions: the paper's figures 6, 7, 10, 15 and 16.

Each function takes the dictionary `revisions` of `summary.json` and returns a
figure of its own; an interval there is {"mean", "low", "high"}.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib import axes, figure

from tts_jax.report import figures, style

Revisions = Mapping[str, Any]

# What judged the answers, as readers call it.
VERIFIERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
  "history": ("revision verifier with history", style.BLUE),
  "alone": ("revision verifier without history", style.GREEN),
  "prm": ("the base model's PRM", style.VERMILION),
}
_LOOKS = (
  *(style.GREY, style.SKY, style.GREEN, style.ORANGE, style.PURPLE),
  *(style.BLUE, style.VERMILION, style.BLACK),
)
# More turns than this, and their markers would touch.
_MAX_MARKERS = 16
# More ratios than this would touch on an axis of half the page.
_MAX_RATIOS = 7


def along_chain(
  revisions: Revisions,
  other: Sequence[Mapping[str, float]] = (),
  *,
  width: float = 3.4,
  height: float = 2.5,
) -> figure.Figure:
  """Share of right answers at each turn of a chain.

  Args:
    revisions: with `pass_at_1_along_chain`.
    other: that of another model, such as one trained on its own trajectories.
    width: in inches.
    height: in inches.
  """
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    panel = fig.add_subplot()
    lines = [("trained on samples", style.BLUE)]
    lines.append(("trained on its own chains", style.VERMILION))
    drawn = (revisions["pass_at_1_along_chain"], other)
    for (label, look), turns in zip(lines, drawn, strict=True):
      if turns:
        numbered = {str(turn): one for turn, one in enumerate(turns, 1)}
        if len(turns) > _MAX_MARKERS:
          look = {**look, "marker": ""}
        style.curve(panel, numbered, label, look)
    most = max(map(len, drawn))
    every = -(-most // style.MAX_LABELS)
    panel.set_xticks(sorted({1, *range(every, most + 1, every)}))
    panel.set_xlabel("answer of the chain")
    panel.set_ylabel("share of answers correct")
    if other:
      panel.legend(loc="best")
  return fig


def sequential_against_parallel(
  revisions: Revisions, *, width: float = 3.4, height: float = 2.5
) -> figure.Figure:
  """One chain of N answers against N single answers, chosen in two ways.

  Args:
    revisions: with `sequential_vs_parallel`.
    width: in inches.
    height: in inches.
  """
  looks = {
    ("verifier", "sequential"): style.BLUE,
    ("verifier", "parallel"): style.SKY,
    ("majority", "sequential"): style.VERMILION,
    ("majority", "parallel"): style.ORANGE,
  }
  found = revisions["sequential_vs_parallel"]
  lines = [
    (f"{way}, {how}", look, {n: one[way] for n, one in found[how].items()})
    for (how, way), look in looks.items()
  ]
  return _against_budget(lines, width, height)


def by_verifier(
  revisions: Revisions, *, width: float = 3.4, height: float = 2.5
) -> figure.Figure:
  """One chain of N answers, judged by each verifier.

  Args:
    revisions: with `verifier_ablation`.
    width: in inches.
    height: in inches.
  """
  found = revisions["verifier_ablation"]
  lines = [
    (label, look, found[name]["sequential"])
    for name, (label, look) in VERIFIERS.items()
    if name in found
  ]
  return _against_budget(lines, width, height)


def ratios(
  revisions: Revisions,
  *,
  by: str = "ratio_curves",
  width: float = 7.0,
  height: float = 3.1,
) -> figure.Figure:
  """Accuracy against the ratio of sequential to parallel.

  Args:
    revisions: with `ratio_curves` and `ratio_curves_by_bin`, or those of the
      majority.
    by: the former's key, "ratio_curves" or "majority_curves".
    width: in inches.
    height: in inches.

  Returns:
    A figure of two panels: a line for each N over all questions, and a line for
    each difficulty bin at the largest N.
  """
  overall, bins = revisions[by], revisions[f"{by}_by_bin"]
  most = max(overall, key=int)
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    left, right = fig.subplots(1, 2)
    budgets = [n for n in sorted(overall, key=int) if int(n) > 1]
    for n, look in zip(budgets, _LOOKS, strict=False):
      _ratio_line(left, overall[n], f"N = {n}", look)
    for index, one in enumerate(bins):
      name = figures.bin_name(index, len(bins))
      _ratio_line(right, one[most], name, _LOOKS[index])
    left.set_title("all questions")
    right.set_title(f"by difficulty, N = {most}")
    left.set_ylabel("share of questions correct")
    every = {name for values in overall.values() for name in values}
    for panel, names, columns in (
      (left, every, 4),
      (right, overall[most], len(bins)),
    ):
      labels = _labelled(names)
      panel.set_xticks([exponent(name) for name in labels], labels)
      panel.set_xlabel("sequential : parallel")
      # Below, for inside it would hide a line whatever the numbers are.
      place = dict(loc="upper center", bbox_to_anchor=(0.5, -0.2))
      panel.legend(**place, ncols=columns, fontsize=6)
  return fig


def _labelled(names: Collection[str]) -> list[str]:
  """The ratios that have room for a label, the middle one among them."""
  ordered = sorted(names, key=exponent)
  every = -(-len(ordered) // _MAX_RATIOS)
  return ordered[(len(ordered) - 1) // 2 % every :: every]


def exponent(name: str) -> float:
  """Where a ratio such as "1:4" stands: the logarithm of 1/4 to base 2."""
  sequential, parallel = (int(part) for part in name.split(":"))
  return float(sequential.bit_length() - parallel.bit_length())


def _ratio_line(
  panel: axes.Axes, values: style.Curve, label: str, look: Mapping[str, Any]
) -> None:
  names = sorted(values, key=exponent)
  places = [exponent(name) for name in names]
  mean, low, high = (
    [values[name][part] for name in names] for part in ("mean", "low", "high")
  )
  panel.plot(places, mean, label=label, **look)
  panel.fill_between(
    places, low, high, color=look["color"], alpha=0.12, linewidth=0
  )


def _against_budget(
  lines: Sequence[tuple[str, Mapping[str, Any], style.Curve]],
  width: float,
  height: float,
) -> figure.Figure:
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    panel = fig.add_subplot()
    for label, look, values in lines:
      style.curve(panel, values, label, look)
    budgets = sorted({int(n) for _, _, values in lines for n in values})
    style.budget_axis(panel, budgets)
    panel.set_xlabel("answers a question, N")
    panel.set_ylabel("share of questions correct")
    panel.legend(loc="best", fontsize=6)
  return fig
