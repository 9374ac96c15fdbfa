"""Figures of the compute-optimal policy and of what it knows of difficulty.

The paper's figures 4 and 8 (camera-ready: 4 and 6), and beyond it what each
estimate of difficulty is worth. Each function takes dictionaries of
`summary.json`, where an interval is {"mean", "low", "high"}, and returns a
figure of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib import axes, figure, patches

from tts_jax.report import curves, search_figures, style

Family = Mapping[str, Any]

# What places a question, as readers call it.
ESTIMATES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
  "oracle": ("oracle", style.GREEN),
  "predicted": ("predicted", style.PURPLE),
  "first_samples": ("first samples", style.ORANGE),
  "head": ("prompt head", style.BLACK),
}
# What a family of strategies is compared with.
BASELINES = {
  "search": "best-of-N weighted",
  "revisions": "parallel",
  "pooled": "best-of-N weighted",
}
_FILLS = (
  *("#56B4E9", "#009E73", "#E69F00", "#CC79A7", "#F0E442", "#F2A07B"),
  *("#8DB4E2", "#BBBBBB", "#bbddaa", "#ddbbaa", "#aaaadd", "#dddddd"),
)


def optimal_lines(
  family: Family,
  *,
  estimates: Sequence[str] = ("oracle", "predicted"),
  baseline: str = "best-of-N weighted",
  prefix: str = "compute-optimal, ",
) -> list[curves.Line]:
  """The baseline's line, and one for each estimate that is there.

  Args:
    family: of `policy.families`, with `baseline` and `by_difficulty`.
    estimates: of `ESTIMATES`; those not measured are left out.
    baseline: what to call it.
    prefix: of the labels of the others.

  Raises:
    InputError: the family lacks its baseline, or all of the estimates.
  """
  where = "the policy's family"
  found = curves.lookup(family, "by_difficulty", where)
  here = [name for name in estimates if name in found]
  # With none of them, the first is what is missed.
  curves.lookup(found, (here or list(estimates))[0], f"{where}, by difficulty,")
  first = curves.lookup(family, "baseline", where)
  lines = [curves.Line(label=baseline, look=style.BLUE, values=first)]
  for name in here:
    label, look = ESTIMATES[name]
    values = curves.lookup(found[name], "curve", f"{where}, {name},")
    label = f"{prefix}{label}"
    lines.append(curves.Line(label=label, look=look, values=values))
  return lines


def compute_optimal(
  family: Family,
  majority: style.Curve | None = None,
  *,
  baseline: str = "best-of-N weighted",
  verifier: float = 0.0,
  width: float = 3.4,
  height: float = 2.6,
) -> figure.Figure:
  """The compute-optimal policy against the same method for all questions.

  Args:
    family: of `policy.families`, with `baseline` and `by_difficulty`, of which
      "oracle" and "predicted" are drawn.
    majority: of the same samples, or None; its budgets above the family's are
      left out.
    baseline: what to call the baseline.
    verifier: cost of a call, in generations.
    width: in inches.
    height: in inches.

  Raises:
    InputError: the family lacks what is drawn.
  """
  lines = optimal_lines(family, baseline=baseline)
  if majority:
    most = max(int(n) for line in lines for n in line.values)
    voted = {n: one for n, one in majority.items() if int(n) <= most}
    label, look = search_figures.METHODS["majority"]
    lines.insert(
      0, curves.Line(label=label, look=look, values=voted, verified=False)
    )
  return curves.single(lines, verifier=verifier, width=width, height=height)


def difficulty_estimates(
  difficulty: Mapping[str, Any],
  family: Family | None = None,
  *,
  baseline: str = "best-of-N weighted",
  width: float = 3.4,
  height: float = 4.0,
) -> figure.Figure:
  """What places questions: its rank correlation, and what its policy is worth.

  Args:
    difficulty: with `estimates`, each with `rank_correlation` to the oracle.
    family: of `policy.families`, whose curves have the cost of the estimate in
      their budget; None: only the correlations are drawn.
    baseline: what to call the family's baseline.
    width: in inches.
    height: in inches, of both panels.

  Raises:
    InputError: there are no estimates, or one lacks its correlation.
  """
  found = curves.lookup(difficulty, "estimates", "difficulty")
  names = [name for name in ESTIMATES if name in found]
  names += [name for name in found if name not in ESTIMATES]
  with mpl.rc_context(style.RC):
    rows = 0.4 + 0.2 * len(names)
    if family is None:
      fig = figure.Figure(figsize=(width, rows + 0.3), layout="constrained")
      top = fig.add_subplot()
    else:
      fig = figure.Figure(figsize=(width, height), layout="constrained")
      share = [rows, height - rows]
      top, bottom = fig.subplots(2, 1, height_ratios=share)
      lines = optimal_lines(
        family, estimates=list(ESTIMATES), baseline=baseline, prefix="optimal, "
      )
      curves.draw(bottom, lines, max_labels=6)
      bottom.set_ylabel("share correct")
      bottom.legend(loc="lower right", fontsize=7)
    for place, name in enumerate(names):
      where = f"difficulty.estimates.{name}"
      one = curves.lookup(found[name], "rank_correlation", where)
      _, look = ESTIMATES.get(name, (name, style.GREY))
      reach = [[one["mean"] - one["low"]], [one["high"] - one["mean"]]]
      top.errorbar(
        [one["mean"]],
        [place],
        xerr=reach,
        capsize=2,
        **{**look, "linestyle": "none"},
      )
      top.annotate(
        f"{one['mean']:.2f}",
        (one["mean"], place),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        fontsize=6,
      )
    labels = [ESTIMATES.get(name, (name, {}))[0] for name in names]
    top.set_yticks(range(len(names)), labels)
    top.set_ylim(len(names) - 0.4, -0.7)
    least = min(found[name]["rank_correlation"]["low"] for name in names)
    top.set_xlim(min(0.0, least) - 0.02, 1.04)
    top.set_xlabel("rank correlation with the oracle")
  return fig


def choices_by_bin(
  family: Family,
  *,
  estimate: str = "oracle",
  width: float = 3.4,
  height: float = 2.6,
) -> figure.Figure:
  """Which strategy the policy takes in each bin at each budget.

  A cell's colour is the strategy that most folds took, its number the share of
  them, where it is not all.

  Args:
    family: of `policy.families`, with `by_difficulty`.
    estimate: of difficulty.
    width: in inches.
    height: in inches.

  Raises:
    InputError: the estimate is not there, or kept no choices.
  """
  found = curves.lookup(
    family, f"by_difficulty.{estimate}.chosen", "the policy's family"
  )
  budgets = sorted({int(n) for one in found for n in one})
  most = [
    {n: max(shares, key=shares.__getitem__) for n, shares in one.items()}
    for one in found
  ]
  taken = {name for one in most for name in one.values()}
  names = [name for name in search_figures.METHODS if name in taken]
  names += sorted(taken - set(names))
  fills = {name: _FILLS[i % len(_FILLS)] for i, name in enumerate(names)}
  with mpl.rc_context({**style.RC, "axes.grid": False}):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    panel = fig.add_subplot()
    for row, one in enumerate(most):
      for n, name in one.items():
        share = found[row][n][name]
        _cell(panel, budgets.index(int(n)), row, fills[name], share)
    panel.set_xlim(-0.5, len(budgets) - 0.5)
    panel.set_ylim(len(most) - 0.5, -0.5)
    panel.set_xticks(range(len(budgets)), [str(n) for n in budgets])
    panel.set_yticks(range(len(most)), [str(1 + i) for i in range(len(most))])
    panel.tick_params(length=0)
    panel.set_xlabel("generations a question, N")
    panel.set_ylabel("difficulty bin, 1 the easiest")
    fig.legend(
      handles=[patches.Patch(color=fills[name]) for name in names],
      labels=[search_figures.METHODS.get(name, (name,))[0] for name in names],
      loc="outside upper center",
      ncols=2 if len(names) < 7 else 3,
      fontsize=6,
    )
  return fig


def _cell(
  panel: axes.Axes, column: int, row: int, fill: str, share: float
) -> None:
  corner = (column - 0.48, row - 0.46)
  panel.add_patch(
    patches.Rectangle(corner, 0.96, 0.92, color=fill, linewidth=0)
  )
  if share < 1:
    panel.text(
      column, row, f"{share:.0%}", ha="center", va="center", fontsize=6
    )
