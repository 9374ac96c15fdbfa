"""The paper's findings on revisions, each judged by a run's summary."""

from collections.abc import Callable, Mapping
from typing import Any

from tts_jax.scaling import readings

Summary = Mapping[str, Any]
Claim = dict[str, str]

NO_CHAINS = "the run has no chains of revisions"
# "About 38%" of right answers are spoiled by the next revision.
SPOILED = (0.28, 0.48)


def along_chain(summary: Summary) -> Claim:
  """Figure 6, left."""
  claim = "pass@1 rises along the chain of revisions"
  found = summary.get("revisions")
  if not found:
    return readings.untold(claim, NO_CHAINS)
  if "fourth_minus_first" not in found:
    return readings.untold(claim, "no chain has four answers")
  what = "fourth answer less the first of the same chains"
  parts = [readings.of(what, found["fourth_minus_first"])]
  return readings.told(claim, readings.every(parts), parts)


def sequential(summary: Summary) -> Claim:
  """Figure 6, right."""
  claim = "Sequential revisions beat as many parallel answers"
  found = summary.get("revisions")
  if not found:
    return readings.untold(claim, NO_CHAINS)
  parts = []
  for name, by_budget in found["sequential_vs_parallel"].items():
    if name in ("verifier", "majority") and by_budget:
      most = max(by_budget, key=int)
      what = f"one chain of {most} less {most} answers, by {name}"
      parts.append(readings.of(what, by_budget[most]["difference"]))
  if not parts:
    return readings.untold(claim, "no budget of revisions is above 1")
  return readings.told(claim, readings.every(parts), parts)


def ratios(summary: Summary) -> Claim:
  """Figure 7, right."""
  claim = "Easy questions want all sequential, hard ones a mixed ratio"
  found = summary.get("revisions")
  if not found:
    return readings.untold(claim, NO_CHAINS)
  both = found.get("ratios_by_difficulty")
  if not both:
    return readings.untold(claim, "no budget of revisions has a mixed ratio")
  easy, hard = both["easy"], both["hard"]
  parts = [
    readings.of(
      f"bins 1 and 2, {easy['budget']} answers: one chain less the best other"
      " ratio",
      easy["sequential_less_other"],
    ),
    readings.of(
      f"bins 4 and 5, {hard['budget']} answers: the best mixed ratio less one"
      " chain",
      hard["mixed_less_sequential"],
    ),
    readings.of(
      "bins 4 and 5: the same less all parallel", hard["mixed_less_parallel"]
    ),
  ]
  return readings.told(claim, readings.every(parts), parts)


def spoiled(summary: Summary) -> Claim:
  """Section 6.1."""
  claim = "About 38% (28% to 48%) of right answers turn wrong when revised"
  found = summary.get("revisions")
  if not found:
    return readings.untold(claim, NO_CHAINS)
  if "spoiled_share" not in found:
    return readings.untold(claim, "no right answer was revised")
  parts = [readings.of("share spoiled", found["spoiled_share"], SPOILED)]
  return readings.told(claim, readings.every(parts), parts)


def rest_em(summary: Summary) -> Claim:
  """Figure 16."""
  claim = "Training on the model's own chains (ReST^EM) makes revisions worse"
  found = summary.get("revisions")
  if not found:
    return readings.untold(claim, NO_CHAINS)
  own = found["pass_at_1_along_chain"]
  other = found.get("rest_em", {}).get("pass_at_1_along_chain", ())
  turn = min(len(own), len(other), 4)
  if turn < 2:
    return readings.untold(claim, "no model trained on its own chains was run")
  parts = [
    readings.difference(
      f"answer {turn} of a chain, trained on its own chains less on samples",
      other[turn - 1],
      own[turn - 1],
      readings.BELOW,
    )
  ]
  return readings.told(claim, readings.every(parts), parts)


CLAIMS: tuple[Callable[[Summary], Claim], ...] = (
  *(along_chain, sequential, ratios, spoiled, rest_em),
)
