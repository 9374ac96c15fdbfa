"""Verdicts on the paper's findings, from summaries made by hand."""

import copy
import json
import math

import pytest
import run_summary

from tts_jax.scaling import claims, readings, revision_claims

_UP = {"mean": 0.03, "low": 0.01, "high": 0.05}
_DOWN = {"mean": -0.03, "low": -0.05, "high": -0.01}
_FLAT = {"mean": 0.01, "low": -0.01, "high": 0.03}
# By what the claim wants to see.
_UPWARD = {"holds": _UP, "does not hold": _DOWN, "cannot tell": _FLAT}
_DOWNWARD = {"holds": _DOWN, "does not hold": _UP, "cannot tell": _FLAT}
_VERDICTS = list(_UPWARD)


def _contrast(name, method, interval, **more):
  return {
    "contrasts": {name: {method: {"budgets": [4, 16], **interval, **more}}}
  }


def _apart(above):
  """Two curves whose difference is clear, or is not."""
  return [
    {"8": {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}}
    for mean in (0.5 + above, 0.5)
  ]


def _told(claim, summary):
  found = claim(summary)
  assert list(found) == ["claim", "verdict", "evidence"]
  return found["verdict"], found["evidence"]


@pytest.mark.parametrize("verdict", _VERDICTS)
def test_verdicts_on_search_follow_their_intervals(verdict):
  up, down = _UPWARD[verdict], _DOWNWARD[verdict]
  for claim, name, interval in (
    (claims.beam_small, "beam_small", up),
    (claims.beam_middle, "beam_small_middle", up),
    (claims.beam_easy, "beam_large_easy", down),
  ):
    found, said = _told(claim, _contrast(name, "beam_4", interval))
    assert found == verdict
    assert "4 and 16 generations: " in said
    ends = f"[{interval['low']:.3f}, {interval['high']:.3f}]"
    assert said.endswith(f"{interval['mean']:.3f} {ends}")
  summary = _contrast("lookahead", "lookahead_1", down, beam="beam_sqrt")
  assert _told(claims.lookahead, summary)[0] == verdict
  curve = {"1": _FLAT, "8": up}
  summary = {
    "verifier": {
      "differences": {
        f"weighted_last_minus_{name}": curve for name in ("least", "product")
      }
    }
  }
  assert _told(claims.aggregation, summary)[0] == verdict
  gap = {"holds": 0.1, "does not hold": -0.1, "cannot tell": 0.005}[verdict]
  process, outcome = _apart(gap)
  regimes = {
    "frozen": {"curves": {"best_of_n_weighted": process}},
    "outcome": {"curves": {"best_of_n_weighted": outcome}},
  }
  found, said = _told(claims.outcome, {"verifier": {"regimes": regimes}})
  assert found == verdict
  assert f"{gap:.3f}" in said


def test_the_papers_width_decides_and_the_other_is_told():
  summary = _contrast("beam_small", "beam_4", _UP)
  other = _contrast("beam_small", "beam_sqrt", _DOWN)
  summary["contrasts"]["beam_small"] |= other["contrasts"]["beam_small"]
  verdict, said = _told(claims.beam_small, summary)
  assert verdict == "holds"
  assert "beam_sqrt less" in said


@pytest.mark.parametrize(
  ("interval", "verdict"),
  [
    ({"mean": 0.02, "low": 0.01, "high": 0.04}, "holds"),
    ({"mean": 0.09, "low": 0.06, "high": 0.12}, "does not hold"),
    ({"mean": 0.04, "low": 0.01, "high": 0.08}, "cannot tell"),
  ],
)
def test_the_hardest_bin_may_gain_a_little(interval, verdict):
  summary = _contrast("hardest", "beam_4", interval)
  flat = {"budgets": [128], "mean": 0.0, "low": 0.0, "high": 0.0}
  summary["contrasts"]["hardest"]["majority"] = flat
  assert _told(claims.hardest, summary)[0] == verdict


@pytest.mark.parametrize("verdict", _VERDICTS)
def test_verdicts_on_revisions_follow_their_intervals(verdict):
  up = _UPWARD[verdict]
  both = {"8": {"difference": up}}
  easy = {"budget": 16, "sequential_less_other": up}
  hard = {"budget": 16, "mixed_less_sequential": up, "mixed_less_parallel": _UP}
  gap = {"holds": 0.1, "does not hold": -0.1, "cannot tell": 0.0}[verdict]
  own, other = (one["8"] for one in _apart(gap))
  spoiled = {"holds": 0.4, "does not hold": 0.1, "cannot tell": 0.48}[verdict]
  ends = {"mean": spoiled, "low": spoiled - 0.02, "high": spoiled + 0.02}
  summary = {
    "revisions": {
      "fourth_minus_first": up,
      "sequential_vs_parallel": {"verifier": both, "score": {}},
      "ratios_by_difficulty": {"easy": easy, "hard": hard},
      "spoiled_share": ends,
      "pass_at_1_along_chain": [own] * 4,
      "rest_em": {"pass_at_1_along_chain": [other] * 4},
    }
  }
  for claim in revision_claims.CLAIMS:
    assert _told(claim, summary)[0] == verdict, claim.__name__
  # One part that fails refutes the whole; one that says nothing leaves it open.
  summary["revisions"]["ratios_by_difficulty"]["hard"] = {
    **hard,
    "mixed_less_parallel": _FLAT,
  }
  found = _told(revision_claims.ratios, summary)[0]
  assert found == ("cannot tell" if verdict == "holds" else verdict)


def _policy(*speedups, family="search", less=_UP):
  cells = {
    str(4**i): {"speedup": one, "less_baseline": less}
    for i, one in enumerate(speedups)
  }
  families = {family: {"predicted": {"generations": cells}}}
  return {"policy": {"families": families}}


def _speedup(low, high, bound=None, never=0.0):
  mean = (low + high) / 2
  return {
    **{"mean": mean, "low": low, "high": high},
    **{"bound": bound, "never_reached": never},
  }


@pytest.mark.parametrize(
  ("speedups", "verdict"),
  [
    ([_speedup(0.9, 1.1), _speedup(4.1, 6)], "holds"),
    ([_speedup(0.9, 1.1), _speedup(2, 3.5)], "does not hold"),
    ([_speedup(0.9, 1.1), _speedup(2, 5)], "cannot tell"),
    # The baseline never reaches it: the ratio may be larger than is known.
    ([_speedup(2, 2.5, "at least", 1.0)], "cannot tell"),
    ([_speedup(2, 2.5, None, 0.1)], "cannot tell"),
    ([_speedup(4.2, 5, "at least", 1.0)], "holds"),
  ],
)
def test_four_times_is_shown_at_some_budget(speedups, verdict):
  found, said = _told(claims.optimal_search, _policy(*speedups))
  assert found == verdict
  assert said.endswith("below the baseline at no budget")
  summary = _policy(*speedups, family="revisions", less=_DOWN)
  found, said = _told(claims.optimal_revisions, summary)
  assert found == verdict
  assert "below the baseline at predicted difficulty, budget 1" in said
  assert _told(claims.optimal_search, summary) == (
    "cannot tell",
    claims.NO_SEARCHES,
  )
  for family in ("search", "pooled"):
    averaged = _policy(*speedups, family=family)["policy"]
    summary["policy"]["averaged"] = averaged
    assert _told(claims.optimal_on_average, summary)[0] == verdict


@pytest.mark.parametrize(
  ("share", "verdict"),
  [((0.7, 0.9), "holds"), ((0.2, 0.6), "does not hold"), ((0.5, 1), None)],
)
def test_predicted_difficulty_keeps_its_share(share, verdict):
  low, high = share
  interval = {"mean": (low + high) / 2, "low": low, "high": high}
  by = {"search": {"predicted": {"generations": {"share": interval}}}}
  summary = {"policy": {"families": {}, "kept_of_oracle_gain": by}}
  found, _ = _told(claims.predicted, summary)
  assert found == (verdict or "cannot tell")
  summary["policy"] = {"averaged": {"kept_of_oracle_gain": by}}
  found, said = _told(claims.predicted, summary)
  assert found == (verdict or "cannot tell")
  assert "search, a budget met on average" in said
  summary["policy"] = {"families": {}, "kept_of_oracle_gain": by}
  by["search"]["predicted"]["generations"]["share"] = None
  assert "may be none" in _told(claims.predicted, summary)[1]


def test_verdicts_on_the_exchange_follow_their_bins():
  summary = {"exchange": copy.deepcopy(run_summary.of_exchange(questions=400))}
  assert _told(claims.small_model, summary)[0] == "holds"
  assert _told(claims.large_model, summary)[0] == "holds"
  bins = summary["exchange"]["families"]["search"]["bins"]
  for one in bins[:3]:
    one["at"]["v1"]["0.16"]["difference"] = _DOWN
  bins[4]["at"]["v1"]["0.16"]["difference"] = _UP
  assert _told(claims.small_model, summary)[0] == "does not hold"
  assert _told(claims.large_model, summary)[0] == "does not hold"
  # With fewer generations than equal FLOPs buy, to be behind says nothing.
  for one in (*bins[:3], bins[4]):
    one["at"]["v1"]["0.16"]["measured_at"] = 16
    one["at"]["v1"]["0.16"]["difference"] = _DOWN
  verdict, said = _told(claims.small_model, summary)
  assert verdict == "cannot tell"
  assert "at least -0.050" in said
  assert _told(claims.large_model, summary)[0] == "cannot tell"
  empty = {"bins": [{"questions": 0}] * 5, "all": {"questions": 0}}
  summary["exchange"]["families"] = {"search": empty}
  assert "no questions" in _told(claims.small_model, summary)[1]


def test_what_a_run_lacks_is_said():
  found = claims.judge({})
  assert len(found) == len(claims.CLAIMS) == 18
  assert {one["verdict"] for one in found} == {"cannot tell"}
  assert all(one["evidence"] for one in found)
  json.dumps(found, allow_nan=False)
  small = claims.judge({"contrasts": {}, "policy": {"absent": "6 questions"}})
  said = {one["claim"]: one["evidence"] for one in small}
  assert "no policy: 6 questions" in said.values()
  assert any("at 64 generations or more" in one for one in said.values())
  assert any("no lookahead search" in one for one in said.values())
  bare = {
    "revisions": {"sequential_vs_parallel": {}, "pass_at_1_along_chain": []}
  }
  said = [_told(claim, bare) for claim in revision_claims.CLAIMS]
  assert {verdict for verdict, _ in said} == {"cannot tell"}
  assert "no chain has four answers" in said[0][1]


def test_a_whole_runs_claims_are_json():
  found = claims.judge(run_summary.summary())
  json.dumps(found, allow_nan=False)
  verdicts = {one["claim"]: one["verdict"] for one in found}
  assert verdicts["pass@1 rises along the chain of revisions"] == "holds"


def test_readings_combine_as_they_say():
  def read(low, high):
    return readings.Reading(what="x", mean=(low + high) / 2, low=low, high=high)

  up, down, flat = read(1, 2), read(-2, -1), read(-1, 1)
  for parts, every, some, somewhere in (
    ([up, up], "holds", "holds", "holds"),
    ([up, flat], "cannot tell", "holds", "holds"),
    ([up, down], "does not hold", "cannot tell", "holds"),
    ([flat, down], "does not hold", "does not hold", "cannot tell"),
    ([down, down], "does not hold", "does not hold", "does not hold"),
    ([flat], "cannot tell", "cannot tell", "cannot tell"),
  ):
    assert readings.every(parts) == every
    assert readings.some(parts) == some
    assert readings.somewhere(parts) == somewhere
  # Nothing but rounding is no difference.
  assert read(1e-18, 2e-18).verdict == "cannot tell"
  # An upper end that is not known cannot refute what is wanted above 0.
  assert read(-1, math.inf).verdict == "cannot tell"
  one, other = ({"mean": m, "low": m - 0.3, "high": m + 0.4} for m in (1, 0.5))
  apart = readings.difference("x", one, other)
  assert apart.mean == pytest.approx(0.5)
  assert (apart.low, apart.high) == (pytest.approx(0), pytest.approx(1))
