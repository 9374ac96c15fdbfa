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
  "first": ("first samples", style.ORANGE),
  "head": ("prompt head", style.BLACK),
  "none": ("no estimate", style.GREY),
}
# What a family of strategies is compared with.
BASELINES = {
  "search": "best-of-N weighted",
  "revisions": "parallel",
  "pooled": "best-of-N weighted",
}
# Strategies that are no searches, as readers call them.
_OTHERS = {"revised_search": "beam, revised once"}
_FILLS = (
  *("#56B4E9", "#009E73", "#E69F00", "#CC79A7", "#F0E442", "#F2A07B"),
  *("#8DB4E2", "#BBBBBB", "#bbddaa", "#ddbbaa", "#aaaadd", "#dddddd"),
)


def read_family(policy: Mapping[str, Any], name: str) -> Family:
  """A family of a policy as the figures here take it, in generations.

  Args:
    policy: of a summary, with `families` and the `baseline` or, of revisions,
      `parallel`.
    name: of the family.

  Returns:
    `baseline`, {N: interval}, and `by_difficulty`, {estimate: `curve` and
    `less`, {N: interval}, itself and less the baseline, and `chosen`, for each
    bin {N: {strategy: share}}}. An estimate from the first few samples, however
    many, is called "first".

  Raises:
    InputError: the policy lacks the family, or what it is compared with.
  """
  found = curves.lookup(policy, f"families.{name}", "policy")
  own = "parallel" if name == "revisions" and "parallel" in policy else ""
  base = curves.lookup(policy, own or "baseline", "policy")
  told: dict[str, Any] = {}
  for estimate, by_unit in found.items():
    by_budget = curves.lookup(by_unit, "generations", f"policy, {estimate},")
    bins = max(len(cell["chosen"]) for cell in by_budget.values())
    told[kind(estimate)] = {
      "curve": {n: cell["value"] for n, cell in by_budget.items()},
      "less": {n: cell["less_baseline"] for n, cell in by_budget.items()},
      "chosen": [
        {
          n: _by_name(cell["chosen"][index])
          for n, cell in by_budget.items()
          if cell["chosen"][index]
        }
        for index in range(bins)
      ],
    }
  return {
    "baseline": {n: cell["value"] for n, cell in base.items()},
    "by_difficulty": told,
  }


def kind(estimate: str) -> str:
  """The name in `ESTIMATES`: "first" of "first_4"."""
  return "first" if estimate.startswith("first_") else estimate


def _by_name(shares: Mapping[str, float]) -> dict[str, float]:
  """Shares of strategies, whatever budgets they were given."""
  found: dict[str, float] = {}
  for label, share in shares.items():
    name, _, _ = label.rpartition("@")
    found[name] = found.get(name, 0.0) + share
  return dict(sorted(found.items(), key=lambda one: -one[1]))


def optimal_lines(
  family: Family,
  *,
  estimates: Sequence[str] = ("oracle", "predicted"),
  baseline: str = "best-of-N weighted",
  prefix: str = "compute-optimal, ",
) -> list[curves.Line]:
  """The baseline's line, and one for each estimate that is there.

  Args:
    family: as `read_family` gives it, with `baseline` and `by_difficulty`.
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
    family: as `read_family` gives it; of its estimates "oracle" and "predicted"
      are drawn.
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


def averaged(
  policy: Mapping[str, Any], *, width: float = 3.4, height: float = 2.6
) -> figure.Figure:
  """A budget that is met on average beside one that each question has.

  Args:
    policy: of a summary, with `averaged`; of its largest family, under
      predicted difficulty, or what else there is.
    width: in inches.
    height: in inches.

  Raises:
    InputError: the policy lacks what is drawn.
  """
  mine = curves.lookup(policy, "averaged.families", "policy")
  name = next(one for one in ("pooled", *BASELINES) if one in mine)
  each = read_family(policy, name)
  mean = read_family({**policy, "families": mine}, name)
  by = mean["by_difficulty"]
  shown = "predicted" if "predicted" in by else next(iter(by))
  values = curves.lookup(each, f"by_difficulty.{shown}.curve", f"family {name}")
  lines = [
    curves.Line(
      label=BASELINES[name], look=style.BLUE, values=each["baseline"]
    ),
    curves.Line(
      label="compute-optimal, each question", look=style.PURPLE, values=values
    ),
    curves.Line(
      label="compute-optimal, on average",
      look=style.GREEN,
      values=by[shown]["curve"],
    ),
  ]
  return curves.single(lines, width=width, height=height)


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
    family: as `read_family` gives it, the cost of each estimate in its budget;
      None: only the correlations are drawn.
    baseline: what to call what the policies are compared with.
    width: in inches.
    height: in inches, of both panels.

  Raises:
    InputError: there are no estimates, or one lacks its correlation.
  """
  told = curves.lookup(difficulty, "estimates", "difficulty")
  # That of all questions alike has no rank.
  found = {kind(name): one for name, one in told.items() if name != "none"}
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
      _less_baseline(bottom, family["by_difficulty"])
      bottom.set_ylabel(f"optimal less {baseline}")
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


def _less_baseline(panel: axes.Axes, by_difficulty: Mapping[str, Any]) -> None:
  """Differences of policies and one baseline, side by side at each budget."""
  names = [name for name in ESTIMATES if name in by_difficulty]
  budgets: set[int] = set()
  for index, name in enumerate(names):
    label, look = ESTIMATES[name]
    less = by_difficulty[name]["less"]
    order = sorted(less, key=int)
    budgets |= {int(n) for n in order}
    shift = 1.07 ** (index - (len(names) - 1) / 2)
    mean, low, high = (
      [less[n][part] for n in order] for part in ("mean", "low", "high")
    )
    panel.errorbar(
      [int(n) * shift for n in order],
      mean,
      yerr=[
        [m - one for m, one in zip(mean, low, strict=True)],
        [one - m for m, one in zip(mean, high, strict=True)],
      ],
      label=label,
      elinewidth=0.8,
      **{**look, "linestyle": "none"},
    )
  panel.axhline(0, color="black", linewidth=0.8)
  style.budget_axis(panel, sorted(budgets), 6)
  panel.set_xlabel(curves.axis_label(0))
  panel.legend(loc="best", fontsize=6)


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
    family: as `read_family` gives it, with `by_difficulty`.
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
      labels=[
        _OTHERS.get(name) or search_figures.METHODS.get(name, (name,))[0]
        for name in names
      ],
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
