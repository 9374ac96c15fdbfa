"""The paper's findings, each judged by a run's summary.

Every function here takes a summary and returns {"claim", "verdict",
"evidence"}. A verdict follows from intervals alone; where a run has no data for
a finding it cannot be told, and the evidence says what is lacking.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from tts_jax.scaling import readings, revision_claims

Summary = Mapping[str, Any]
Claim = dict[str, str]

# A gain in the hardest bin that would be worth speaking of.
GAIN = 0.05
# "4 times less compute"
TIMES = (4.0, math.inf)
# Of the oracle's gain, what predicted difficulty should keep.
KEPT = (2 / 3, math.inf)
# Resamplings in which a baseline never reaches an accuracy, above which the
# upper end of a speed-up is a bound itself.
_TAIL = 0.025
# Measured so far, a budget counts as reached: 256 of 258 generations.
_REACHED = 0.98

_NO_SEARCH = "the run has no verifier, so no search"
NO_SEARCHES = "the run's policy has no searches to choose from"
_BEAMS = ("beam_4", "beam_sqrt")


def judge(summary: Summary) -> list[Claim]:
  """All findings, in the order of the paper.

  Args:
    summary: of a run, with whatever it measured.
  """
  return [claim(summary) for claim in CLAIMS]


def beam_small(summary: Summary) -> Claim:
  """Figure 3: beam search at small budgets."""
  claim = "Beam search beats best-of-N weighted at small budgets"
  return _beam(summary, claim, "beam_small", "at {} generations")


def beam_middle(summary: Summary) -> Claim:
  """Figure 3, right: beam search in the third and fourth bins."""
  claim = "Beam search wins on the harder middle questions, bins 3 and 4"
  return _beam(
    summary, claim, "beam_small_middle", "in bins 3 and 4 at {} generations"
  )


def beam_easy(summary: Summary) -> Claim:
  """Figure 3, right: over-optimisation on easy questions."""
  claim = "Beam search falls behind on easy questions, bins 1 and 2, as N grows"
  return _beam(
    summary,
    claim,
    "beam_large_easy",
    "in bins 1 and 2 at {} generations",
    readings.BELOW,
    "no beam search was run at 64 generations or more in bins",
  )


def hardest(summary: Summary) -> Claim:
  """Figure 3, right: the fifth bin."""
  claim = f"No method gains {GAIN} in the hardest bin, 5"
  found = summary.get("contrasts", {}).get("hardest")
  if not found:
    return readings.untold(claim, _NO_SEARCH)
  parts = [
    readings.of(
      f"{name} of {one['budgets'][0]} less one sample",
      one,
      (-math.inf, GAIN),
    )
    for name, one in found.items()
  ]
  return readings.told(claim, readings.every(parts), parts)


def lookahead(summary: Summary) -> Claim:
  """Section 5.3: lookahead's rollouts cost more than they tell."""
  claim = "Lookahead search is worse than beam search at equal budgets"
  found = summary.get("contrasts", {}).get("lookahead")
  if not found:
    why = "no lookahead search was run beside beam search"
    return readings.untold(claim, why if "contrasts" in summary else _NO_SEARCH)
  parts = [
    readings.of(
      f"{name} less {one['beam']}, mean over {_listed(one['budgets'])}"
      " generations",
      one,
      readings.BELOW,
    )
    for name, one in found.items()
  ]
  return readings.told(claim, readings.every(parts), parts)


def aggregation(summary: Summary) -> Claim:
  """Appendix E: a solution's score from those of its steps."""
  claim = "The last step's score beats the least and the product"
  found = summary.get("verifier", {}).get("differences", {})
  parts = []
  for name in ("least", "product"):
    curve = found.get(f"weighted_last_minus_{name}")
    if curve:
      most = max(curve, key=int)
      what = f"last less {name}, best-of-{most} weighted"
      parts.append(readings.of(what, curve[most]))
  if not parts:
    return readings.untold(claim, "the run has no verifier")
  return readings.told(claim, readings.every(parts), parts)


def outcome(summary: Summary) -> Claim:
  """Appendix F: labels of every step against labels of the last."""
  claim = "A process reward model beats an outcome reward model"
  regimes = summary.get("verifier", {}).get("regimes", {})
  curves = [
    regimes.get(name, {}).get("curves", {}).get("best_of_n_weighted", {})
    for name in ("frozen", "outcome")
  ]
  shared = sorted(set(curves[0]) & set(curves[1]), key=int)
  if not shared:
    return readings.untold(
      claim, "the verifier has no outcome reward model measured beside it"
    )
  most = shared[-1]
  what = f"process less outcome, best-of-{most} weighted"
  parts = [readings.difference(what, curves[0][most], curves[1][most])]
  return readings.told(claim, readings.every(parts), parts)


def optimal_search(summary: Summary) -> Claim:
  """Figure 4."""
  return _four_times(
    summary,
    "Compute-optimal search needs 4 times fewer generations than best-of-N",
    "search",
  )


def optimal_on_average(summary: Summary) -> Claim:
  """Beyond the paper: hard questions may have more than easy ones."""
  claim = (
    "A budget met on average needs 4 times fewer generations than best-of-N"
    " (beyond the paper)"
  )
  averaged = summary.get("policy", {}).get("averaged", {})
  name = "pooled" if "pooled" in averaged.get("families", {}) else "search"
  policy = averaged or summary.get("policy", {})
  return _four_times({"policy": policy}, claim, name)


def optimal_revisions(summary: Summary) -> Claim:
  """Figure 8."""
  return _four_times(
    summary,
    "Compute-optimal revisions need 4 times fewer generations than parallel"
    " answers",
    "revisions",
  )


def predicted(summary: Summary) -> Claim:
  """Figures 4 and 8: difficulty without ground truth."""
  claim = "Predicted difficulty keeps two thirds of the oracle's gain"
  policy = summary.get("policy", {})
  shares = policy.get("kept_of_oracle_gain", {})
  averaged = policy.get("averaged", {}).get("kept_of_oracle_gain", {})
  parts = []
  for found, where in ((shares, ""), (averaged, ", a budget met on average")):
    for family, by_estimate in found.items():
      one = by_estimate.get("predicted", {}).get("generations", {})
      if share := one.get("share"):
        what = f"share kept, {family}{where}"
        parts.append(readings.of(what, share, KEPT))
  if not parts:
    why = _no_policy(summary) if not shares else "the oracle's gain may be none"
    return readings.untold(claim, why)
  return readings.told(claim, readings.every(parts), parts)


def small_model(summary: Summary) -> Claim:
  """Figure 9: where test-time compute replaces parameters."""
  claim = (
    "At R << 1 test-time compute beats a larger model on easy and middle"
    " questions, bins 1 to 3"
  )
  return _exchange(
    summary,
    claim,
    [(index, False) for index in (0, 1, 2)],
    readings.ABOVE,
    readings.some,
  )


def large_model(summary: Summary) -> Claim:
  """Figure 9: where it does not."""
  claim = "On the hardest questions, or at R >> 1, parameters win"
  return _exchange(
    summary, claim, [(4, False), (None, True)], readings.BELOW, readings.every
  )


CLAIMS: tuple[Callable[[Summary], Claim], ...] = (
  *(beam_small, beam_middle, beam_easy, hardest, lookahead),
  *(aggregation, outcome, optimal_search, optimal_on_average),
  *revision_claims.CLAIMS,
  optimal_revisions,
  *(predicted, small_model, large_model),
)


def _listed(budgets: list[int]) -> str:
  return " and ".join(map(str, budgets))


def _no_policy(summary: Summary) -> str:
  absent = summary.get("policy", {}).get("absent")
  return f"no policy: {absent}" if absent else _NO_SEARCH


def _beam(
  summary: Summary,
  claim: str,
  name: str,
  where: str,
  wanted: tuple[float, float] = readings.ABOVE,
  lacking: str = "no beam search was run at 4 or 16 generations",
) -> Claim:
  """The verdict is of the paper's width 4, or else of the other beam search."""
  if "contrasts" not in summary:
    return readings.untold(claim, _NO_SEARCH)
  found = summary["contrasts"].get(name)
  if not found:
    return readings.untold(claim, lacking)
  parts = [
    readings.of(
      f"{beam} less best-of-N weighted "
      + where.format(_listed(found[beam]["budgets"])),
      found[beam],
      wanted,
    )
    for beam in _BEAMS
    if beam in found
  ]
  return readings.told(claim, parts[0].verdict, parts)


def _four_times(summary: Summary, claim: str, family: str) -> Claim:
  """The verdict is under predicted difficulty, at whatever budget shows it."""
  families = summary.get("policy", {}).get("families", {})
  if family not in families:
    lacking = {"revisions": revision_claims.NO_CHAINS}
    why = lacking.get(family, NO_SEARCHES) if families else _no_policy(summary)
    return readings.untold(claim, why)
  parts, below = {}, []
  for name in ("predicted", "oracle"):
    curve = families[family].get(name, {}).get("generations", {})
    if curve:
      parts[name] = [_speedup(name, at, cell) for at, cell in curve.items()]
    less = {n: cell["less_baseline"] for n, cell in curve.items()}
    below += [
      f"{name} difficulty, budget {n}"
      for n, one in less.items()
      if one is not None and one["high"] < -readings.ROUNDING
    ]
  if not parts:
    return readings.untold(claim, "no estimate of difficulty was measured")
  verdict = readings.somewhere(next(iter(parts.values())))
  surest = [max(one, key=lambda part: part.low) for one in parts.values()]
  note = "below the baseline at no budget"
  if below:
    note = f"below the baseline at {', '.join(below)}"
  return readings.told(claim, verdict, surest, note)


def _speedup(name: str, at: str, cell: Mapping[str, Any]) -> readings.Reading:
  found = cell["speedup"]
  bounded = found["bound"] == "at least" or found["never_reached"] > _TAIL
  return readings.Reading(
    what=f"{name} difficulty, budget {at}",
    mean=found["mean"],
    low=found["low"],
    high=math.inf if bounded else found["high"],
    wanted=TIMES,
    unit="times",
  )


def _exchange(
  summary: Summary,
  claim: str,
  places: list[tuple[int | None, bool]],
  wanted: tuple[float, float],
  combine: Callable[[list[readings.Reading]], str],
) -> Claim:
  """Of the paper's first version; places are bins (None: all), at large R."""
  families = summary.get("exchange", {}).get("families", {})
  family = next(
    (n for n in ("pooled", "search", *families) if n in families), ""
  )
  if not family:
    return readings.untold(claim, "the run has no larger model to compare with")
  parts = []
  for index, large in places:
    found = families[family]
    one = found["all"] if index is None else found["bins"][index]
    at = one.get("at", {}).get("v1", {})
    if not at:
      continue
    ratio = (max if large else min)(at, key=float)
    cell, where = (
      at[ratio],
      "all questions" if index is None else f"bin {index + 1}",
    )
    short = cell["measured_at"] < _REACHED * cell["budget"]
    gap = dict(cell["difference"])
    if short:
      gap["high"] = math.inf
    what = f"{family} less the larger model, {where}, R = {ratio}"
    parts.append(readings.of(what, gap, wanted))
  if not parts:
    return readings.untold(claim, "these bins have no questions")
  return readings.told(claim, combine(parts), parts)
