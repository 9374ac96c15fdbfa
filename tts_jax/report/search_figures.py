"""Figures of verifiers, and of search against them.

Each function takes the dictionaries of `summary.json` and returns a figure of
its own; an interval there is {"mean", "low", "high"}, and a curve is {budget:
interval}. `figures.to_svg` writes them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib import axes, figure, ticker

from tts_jax import errors
from tts_jax.report import figures, style

# What readers call each method, and how it looks in every figure.
METHODS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
  "majority": ("majority", style.VERMILION),
  "best_of_n": ("best-of-N", style.SKY),
  "best_of_n_weighted": ("best-of-N weighted", style.BLUE),
  "beam_sqrt": ("beam, M = √N", style.GREEN),
  "beam_4": ("beam, M = 4", style.ORANGE),
  "lookahead_1": ("lookahead, k = 1", style.PURPLE),
  "lookahead_3": ("lookahead, k = 3", style.GREY),
  "dvts": ("DVTS", style.BLACK),
}
_AGGREGATIONS = {
  "last": ("last step", style.BLUE),
  "least": ("least step", style.GREEN),
  "product": ("product of steps", style.VERMILION),
}

Curves = Mapping[str, style.Curve]
# Of the paper's bars.
_BAR_BUDGETS = (4, 16, 64, 256)


def methods_by_budget(
  curves: Curves, *, width: float = 4.6, height: float = 3.0
) -> figure.Figure:
  """Accuracy of each method against its budget of generations.

  Args:
    curves: {method: curve}, of `METHODS`, each with budgets of its own.
    width: in inches.
    height: in inches.

  Returns:
    A figure of one panel.

  Raises:
    InputError: there are no curves, or a method is unknown.
  """
  _check(curves)
  return _lines(_named(curves), width, height)


def methods_by_flops(
  curves: Curves,
  ledger: Mapping[str, Mapping[str, Mapping[str, float]]],
  *,
  width: float = 7.0,
  height: float = 2.8,
) -> figure.Figure:
  """Accuracy against generations, left, and against FLOPs, right.

  Args:
    curves: {method: curve}, of `METHODS`.
    ledger: {method: {budget: {"flops": mean of a question, ...}}}, for each
      method and budget of the curves.
    width: in inches.
    height: in inches.

  Returns:
    A figure of two panels.

  Raises:
    InputError: there are no curves, a method is unknown, or the ledger lacks
      one of its budgets.
  """
  _check(curves)
  for method, values in curves.items():
    for budget in values:
      if "flops" not in ledger.get(method, {}).get(budget, {}):
        raise errors.InputError(
          f"ledger: method {method!r} has no flops at budget {budget}, but its"
          " curve does; both must come from the same run"
        )
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    left, right = fig.subplots(1, 2, sharey=True)
    for method, (label, look) in _present(curves).items():
      spent = {b: one["flops"] for b, one in ledger[method].items()}
      style.curve(left, curves[method], label, look)
      style.curve(right, curves[method], label, look, spent)
    _finish(left, curves)
    right.set_xscale("log")
    right.set_xlabel("FLOPs a question")
    fig.legend(
      *left.get_legend_handles_labels(), loc="outside upper center", ncols=4
    )
  return fig


def shared_budgets(
  curves_by_bin: Sequence[Curves],
  beam: str,
  baseline: str = "best_of_n_weighted",
  budgets: Sequence[int] = _BAR_BUDGETS,
) -> list[int]:
  """Those of the budgets at which both methods were measured in every bin."""
  return [
    budget
    for budget in budgets
    if curves_by_bin
    and all(
      str(budget) in one.get(name, {})
      for one in curves_by_bin
      for name in (beam, baseline)
    )
  ]


def beam_by_bin(
  curves_by_bin: Sequence[Curves],
  *,
  beam: str = "beam_4",
  baseline: str = "best_of_n_weighted",
  budgets: Sequence[int] = _BAR_BUDGETS,
  columns: int | None = None,
  width: float = 7.0,
  height: float = 2.4,
) -> figure.Figure:
  """Beam search beside weighted best-of-N in each difficulty bin.

  Args:
    curves_by_bin: the easiest bin first.
    beam: method of the left bar of each pair.
    baseline: method of the right one.
    budgets: a pair of bars each, where both methods have them in every bin.
    columns: of panels; None: all stand in one row.
    width: in inches, for all panels together.
    height: in inches, likewise.

  Returns:
    A figure with a panel a bin.

  Raises:
    InputError: no budget is common to both methods in all bins.
  """
  common = shared_budgets(curves_by_bin, beam, baseline, budgets)
  if not common:
    raise errors.InputError(
      f"curves_by_bin: {beam!r} and {baseline!r} share none of the budgets"
      f" {list(budgets)} in all bins"
    )
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    bins = len(curves_by_bin)
    columns = columns or bins
    grid = fig.subplots(
      -(-bins // columns), columns, sharey=True, squeeze=False
    )
    panels = list(grid.flat)
    for panel in panels[bins:]:
      panel.remove()
    del panels[bins:]
    for index, (panel, one) in enumerate(
      zip(panels, curves_by_bin, strict=True)
    ):
      for side, name in ((-0.2, beam), (0.2, baseline)):
        _bars(panel, one[name], common, side, *METHODS[name])
      panel.set_xticks(range(len(common)), [str(k) for k in common])
      panel.set_title(figures.bin_name(index, bins))
      panel.grid(False, axis="x")
      panel.set_axisbelow(True)
      _share_axis(panel)
    for panel in panels[::columns]:
      panel.set_ylabel("share correct")
    fig.supxlabel("generations a question", fontsize=8)
    fig.legend(
      *panels[0].get_legend_handles_labels(),
      loc="outside upper center",
      ncols=2,
    )
  return fig


def aggregations(
  verifier: Mapping[str, Any], *, width: float = 3.4, height: float = 2.5
) -> figure.Figure:
  """Weighted best-of-N by the last, the least and the product of steps.

  Args:
    verifier: with `aggregations`, each with `best_of_n_weighted`.
    width: in inches.
    height: in inches.
  """
  lines = [
    (label, look, verifier["aggregations"][name]["best_of_n_weighted"])
    for name, (label, look) in _AGGREGATIONS.items()
  ]
  return _lines(lines, width, height)


def prm_against_orm(
  prm: Mapping[str, Any],
  orm: Mapping[str, Any],
  *,
  width: float = 3.4,
  height: float = 2.5,
) -> figure.Figure:
  """Weighted best-of-N by a process and by an outcome reward model.

  Args:
    prm: with `curves`, of which `best_of_n_weighted` and `majority` are drawn.
    orm: the same of the other model.
    width: in inches.
    height: in inches.
  """
  lines = [
    ("PRM", style.BLUE, prm["curves"]["best_of_n_weighted"]),
    ("ORM", style.GREEN, orm["curves"]["best_of_n_weighted"]),
    (*METHODS["majority"], prm["curves"]["majority"]),
  ]
  return _lines(lines, width, height)


def best_of_n_against_weighted(
  verifier: Mapping[str, Any], *, width: float = 3.4, height: float = 2.5
) -> figure.Figure:
  """Best-of-N and its weighted form; over-optimisation shows in the former.

  Args:
    verifier: with `curves` of `majority`, `best_of_n`, `best_of_n_weighted`.
    width: in inches.
    height: in inches.
  """
  names = ("majority", "best_of_n", "best_of_n_weighted")
  curves = {name: verifier["curves"][name] for name in names}
  return _lines(_named(curves), width, height)


def calibration(
  verifier: Mapping[str, Any], *, width: float = 3.0, height: float = 3.0
) -> figure.Figure:
  """Share of right solutions against the score given, a point a bin.

  Args:
    verifier: with `calibration_final`, [{"score", "label", "count"}], and
      `ece_final`. A point's bar is the 95% interval of Wilson, as if samples
      were independent; its area grows with the bin's count.
    width: in inches.
    height: in inches.
  """
  points = verifier["calibration_final"]
  total = sum(point["count"] for point in points)
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    panel = fig.add_subplot()
    panel.plot([0, 1], [0, 1], color="#777777", linewidth=0.8, linestyle=":")
    score, label = ([p[part] for p in points] for part in ("score", "label"))
    ends = [_wilson(point["label"], point["count"]) for point in points]
    reach = _reach(label, [low for low, _ in ends], [high for _, high in ends])
    color = style.BLUE["color"]
    panel.errorbar(score, label, yerr=reach, color=color, linewidth=1.0)
    area = [6 + 80 * point["count"] / total for point in points]
    panel.scatter(score, label, s=area, color=color, zorder=3)
    panel.set_title(f"calibration error {verifier['ece_final']:.3f}")
    panel.set_xlabel("score of the solution")
    panel.set_ylabel("share of solutions correct")
    panel.set_xlim(-0.02, 1.02)
    _share_axis(panel)
  return fig


def _check(curves: Curves) -> None:
  unknown = sorted(set(curves) - set(METHODS))
  if unknown or not curves:
    raise errors.InputError(
      f"curves: method {unknown[0]!r} is unknown; there are {sorted(METHODS)}"
      if unknown
      else "curves: there is no method to draw"
    )


def _present(curves: Curves) -> dict[str, tuple[str, Mapping[str, Any]]]:
  return {name: look for name, look in METHODS.items() if name in curves}


def _named(
  curves: Curves,
) -> list[tuple[str, Mapping[str, Any], style.Curve]]:
  return [
    (label, look, curves[name])
    for name, (label, look) in _present(curves).items()
  ]


def _lines(
  lines: Sequence[tuple[str, Mapping[str, Any], style.Curve]],
  width: float,
  height: float,
) -> figure.Figure:
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    panel = fig.add_subplot()
    for label, look, values in lines:
      style.curve(panel, values, label, look)
    _finish(panel, {label: values for label, _, values in lines})
    panel.legend(loc="best")
  return fig


def _finish(panel: axes.Axes, curves: Curves) -> None:
  budgets = sorted({int(k) for values in curves.values() for k in values})
  style.budget_axis(panel, budgets)
  panel.set_xlabel("generations a question, N")
  panel.set_ylabel("share of questions correct")


def _bars(
  panel: axes.Axes,
  values: style.Curve,
  budgets: Sequence[int],
  side: float,
  label: str,
  look: Mapping[str, Any],
) -> None:
  mean, low, high = (
    [values[str(k)][part] for k in budgets] for part in ("mean", "low", "high")
  )
  panel.bar(
    [place + side for place in range(len(budgets))],
    mean,
    width=0.38,
    yerr=_reach(mean, low, high),
    color=look["color"],
    error_kw={"linewidth": 0.8},
    label=label,
  )


def _reach(
  mean: Sequence[float], low: Sequence[float], high: Sequence[float]
) -> list[list[float]]:
  """How far bars reach down and up; rounding must not turn them round."""
  return [
    [max(m - end, 0.0) for m, end in zip(mean, low, strict=True)],
    [max(end - m, 0.0) for m, end in zip(mean, high, strict=True)],
  ]


def _share_axis(panel: axes.Axes) -> None:
  panel.set_ylim(-0.02, 1.02)
  panel.yaxis.set_major_locator(ticker.MultipleLocator(0.2))


def _wilson(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
  """The interval of Wilson around a share of so many."""
  scale = 1 + z**2 / count
  middle = (share + z**2 / (2 * count)) / scale
  reach = z / scale
  reach *= (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
  return middle - reach, middle + reach
