"""The paper's findings on revisions, each judged by a run's summary."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tts_jax.scaling import readings

Summary = Mapping[str, Any]
Claim = dict[str, str]
# From a summary's `revisions` to what judges a claim, or why nothing can.
Read = Callable[[Summary], Sequence[readings.Reading] | str]

NO_CHAINS = "the run has no chains of revisions"
# "About 38%" of right answers are spoiled by the next revision.
SPOILED = (0.28, 0.48)


def _claim(claim: str) -> Callable[[Read], Callable[[Summary], Claim]]:
  """Makes of a reading the judge of a claim: every number must bear it out."""

  def judged(read: Read) -> Callable[[Summary], Claim]:
    def judge(summary: Summary) -> Claim:
      found = summary.get("revisions")
      parts = read(found) if found else NO_CHAINS
      if isinstance(parts, str):
        return readings.untold(claim, parts)
      return readings.told(claim, readings.every(parts), parts)

    return judge

  return judged


@_claim("pass@1 rises along the chain of revisions")
def along_chain(found: Summary) -> Sequence[readings.Reading] | str:
  """Figure 6, left."""
  if "fourth_minus_first" not in found:
    return "no chain has four answers"
  what = "fourth answer less the first of the same chains"
  return [readings.of(what, found["fourth_minus_first"])]


@_claim("Sequential revisions beat as many parallel answers")
def sequential(found: Summary) -> Sequence[readings.Reading] | str:
  """Figure 6, right."""
  parts = []
  for name, by_budget in found["sequential_vs_parallel"].items():
    if name in ("verifier", "majority") and by_budget:
      most = max(by_budget, key=int)
      what = f"one chain of {most} less {most} answers, by {name}"
      parts.append(readings.of(what, by_budget[most]["difference"]))
  return parts or "no budget of revisions is above 1"


@_claim("Easy questions want all sequential, hard ones a mixed ratio")
def ratios(found: Summary) -> Sequence[readings.Reading] | str:
  """Figure 7, right."""
  both = found.get("ratios_by_difficulty")
  if not both:
    return "no budget of revisions has a mixed ratio"
  easy, hard = both["easy"], both["hard"]
  return [
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


@_claim("About 38% (28% to 48%) of right answers turn wrong when revised")
def spoiled(found: Summary) -> Sequence[readings.Reading] | str:
  """Section 6.1."""
  if "spoiled_share" not in found:
    return "no right answer was revised"
  return [readings.of("share spoiled", found["spoiled_share"], SPOILED)]


@_claim("Training on the model's own chains (ReST^EM) makes revisions worse")
def rest_em(found: Summary) -> Sequence[readings.Reading] | str:
  """Figure 16."""
  own = found["pass_at_1_along_chain"]
  other = found.get("rest_em", {}).get("pass_at_1_along_chain", ())
  turn = min(len(own), len(other), 4)
  if turn < 2:
    return "no model trained on its own chains was run"
  return [
    readings.difference(
      f"answer {turn} of a chain, trained on its own chains less on samples",
      other[turn - 1],
      own[turn - 1],
      readings.BELOW,
    )
  ]


CLAIMS: tuple[Callable[[Summary], Claim], ...] = (
  *(along_chain, sequential, ratios, spoiled, rest_em),
)
