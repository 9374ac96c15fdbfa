"""A page's sections on difficulty and on compute-optimal policies."""

from collections.abc import Mapping
from typing import Any

from matplotlib import figure

from tts_jax.report import (
  document,
  figures,
  policy_figures,
  search_sections,
)

Summary = Mapping[str, Any]

_FAMILIES = {
  "search": "Compute-optimal search",
  "revisions": "Compute-optimal revisions",
  "pooled": "Search and revisions in one policy",
}
_UNITS = {"generations": "generations", "flops": "FLOPs"}


def difficulty(summary: Summary) -> list[str]:
  """What places questions, HTML; nothing without a verifier.

  Args:
    summary: a run's, with `difficulty` and `policy` where there are any.
  """
  found = summary.get("difficulty")
  if found is None:
    return []
  heading = "<h2>Difficulty</h2>"
  if "estimates" not in found:
    return [heading, _absent(found)]
  policy = summary.get("policy", {})
  family = None
  if "search" in policy.get("families", {}):
    family = policy_figures.read_family(policy, "search")
  return [
    heading,
    _figure(
      policy_figures.difficulty_estimates(found, family),
      "rank correlation of each estimate of difficulty with pass@1, and what"
      " the policy that reads it gains",
      "Above, each estimate's rank correlation with pass@1 of samples that it"
      " did not read. Below, the compute-optimal search that it gives, its cost"
      " in the budget.",
    ),
    _estimates(found["estimates"], policy),
  ]


def policy(summary: Summary) -> list[str]:
  """What the policies are worth and choose, HTML; nothing without a verifier.

  Args:
    summary: a run's, with `policy` where there is one.
  """
  found = summary.get("policy")
  if found is None:
    return []
  heading = "<h2>Compute-optimal policy</h2>"
  if "families" not in found:
    return [heading, _absent(found)]
  parts = [
    heading,
    "<p>For each difficulty bin and budget the best strategy on half of the"
    " bin's questions, measured on the other half, over"
    f" {document.count(found['splits'], 'split')}.</p>",
    _speedups(found),
  ]
  for name, title in _FAMILIES.items():
    if name in found["families"]:
      parts += _family(summary, name, title)
  return parts + _averaged(found)


def _figure(
  drawn: figure.Figure, alt: str, caption: str, *, wide: bool = False
) -> str:
  return document.figure(figures.to_svg(drawn), alt, caption, wide=wide)


def _absent(found: Summary) -> str:
  return f"<p>Not measured: {document.text(found['absent'])}.</p>"


def _name(estimate: str) -> str:
  """As "first 4 samples"."""
  kind = policy_figures.kind(estimate)
  if kind == "first":
    return f"first {estimate.rpartition('_')[2]} samples"
  return policy_figures.ESTIMATES.get(kind, (estimate,))[0]


def _estimates(found: Summary, policy: Summary) -> str:
  shares = policy.get("kept_of_oracle_gain", {}).get("search", {})
  counted = all("flops" in one for one in found.values())
  rows = []
  for name, one in found.items():
    sizes = "<br>".join(" ".join(map(str, fold)) for fold in one["sizes"])
    mine = shares.get(name, {}).get("generations", {})
    rows.append(
      (
        document.text(_name(name)),
        document.interval(one["rank_correlation"]),
        f"{one['generations']:g}"
        + (f"<br><small>{one['flops']:.1e} FLOPs</small>" if counted else ""),
        sizes,
        search_sections.cell(mine.get("gain")),
        search_sections.cell(mine.get("share")),
      )
    )
  header = (
    *("", "rank correlation", "cost, generations"),
    *("bins' sizes, a fold a line", "gain of its search policy"),
    "share of the oracle's",
  )
  return document.table(header, rows)


def _averaged(found: Summary) -> list[str]:
  """Budgets that are met on average, where they were measured."""
  mine = found.get("averaged")
  if not mine:
    return []
  # What they are compared with is as of the policies of the paper.
  told = {**found, "pooled_less": {}, **mine}
  name = next(n for n in ("pooled", *_FAMILIES) if n in mine["families"])
  baseline = policy_figures.BASELINES[name]
  estimates = mine["families"][name]
  shown = "predicted" if "predicted" in estimates else next(iter(estimates))
  return [
    "<h3>A budget met on average</h3>",
    "<p>Beyond the paper: hard questions may have more than easy ones, as long"
    " as all questions together spend the budget on average.</p>",
    _speedups({key: one for key, one in mine.items() if key != "families"}),
    _figure(
      policy_figures.averaged(found),
      f"accuracy of a budget met on average against {baseline}",
      f"{_FAMILIES[name]}, {_name(shown)} difficulty. Bands are 95% intervals"
      " by bootstrap over questions.",
    ),
    _curve(told, name, shown),
  ]


def _speedups(found: Summary) -> str:
  rows = []
  for key, baseline in (
    ("speedup_vs_best_of_n_weighted", "best-of-N weighted"),
    ("speedup_vs_parallel", "parallel answers"),
  ):
    for unit, one in found.get(key, {}).items():
      # What a baseline was never seen to reach bounds a ratio from below.
      more = "at least " if one["bound"] == "at least" else ""
      rows.append(
        (
          document.prose(f"{_FAMILIES[one['family']]}, against {baseline}"),
          f"{more}{one['mean']:.2f} <small>[{one['low']:.2f},"
          f" {one['high']:.2f}]</small><br><small>{_UNITS[unit]}</small>",
          str(one["at"]),
          f"{one['value']:.3f}",
          f"{one['never_reached']:.0%}",
        )
      )
  header = (
    *("", "times less spent", "at budget", "accuracy"),
    "never reached",
  )
  return document.table(header, rows) + (
    "<p>At equal accuracy, at the budget where it is surest, under predicted"
    " difficulty. Never reached: the share of resamplings in which the baseline"
    " never has that accuracy, which counts as its largest budget.</p>"
  )


def _family(summary: Summary, name: str, title: str) -> list[str]:
  found = summary["policy"]
  family = policy_figures.read_family(found, name)
  baseline = policy_figures.BASELINES[name]
  estimates = found["families"][name]
  shown = "predicted" if "predicted" in estimates else next(iter(estimates))
  return [
    f"<h3>{title}</h3>",
    _figure(
      policy_figures.compute_optimal(
        family,
        summary.get("majority_at_k") if name == "search" else None,
        baseline=baseline,
      ),
      f"accuracy of {title.lower()} against {baseline}, by generations",
      "Bands are 95% intervals by bootstrap over questions; what was chosen was"
      " measured on questions that did not choose it.",
    ),
    _figure(
      policy_figures.choices_by_bin(
        family, estimate=policy_figures.kind(shown)
      ),
      f"strategy chosen in each bin at each budget, {_name(shown)} difficulty",
      f"By {_name(shown)} difficulty. A number is the share of the halves that"
      " chose the strategy, where it is not all.",
    ),
    _curve(found, name, shown),
  ]


def _curve(found: Summary, name: str, shown: str) -> str:
  baseline = policy_figures.BASELINES[name]
  pooled = found.get("pooled_less", {}).get(name, {}).get(shown, {})
  less = pooled.get("generations", {})
  cells = found["families"][name][shown]["generations"]
  counted = all("flops" in one for one in cells.values())
  rows = [
    (
      n,
      document.interval(one["value"]),
      f"{one['generations']:.1f}",
      *([f"{one['flops']:.1e}"] if counted else []),
      search_sections.cell(one["less_baseline"]),
      *([search_sections.cell(less.get(n))] if less else []),
      f"{one['speedup']['mean']:.2f} <small>[{one['speedup']['low']:.2f},"
      f" {one['speedup']['high']:.2f}]</small>",
    )
    for n, one in cells.items()
  ]
  header = (
    *("budget", f"{_name(shown)} difficulty", "spent"),
    *(["FLOPs"] if counted else []),
    f"less {baseline}",
    *(["pooled policy less this"] if less else []),
    "speed-up, generations",
  )
  return document.table(header, rows)
