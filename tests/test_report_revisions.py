"""Figures and pages of revisions, from numbers that look like a run's."""

import pytest

from tts_jax.report import (
  figures,
  revision_figures,
  revision_sections,
)
from tts_jax.scaling import revisions

_WAYS = ("verifier", "score", "majority")


def _interval(mean):
  return {"mean": mean, "low": mean - 0.1, "high": mean + 0.1}


def _summary(budgets=(1, 2, 4, 8)):
  curves = {
    str(n): {
      revisions.ratio(s, n // s): _interval(0.4 + s / n / 10)
      for s in revisions.LENGTHS[n]
    }
    for n in budgets
  }
  both = {
    str(n): {
      "sequential": _interval(0.6),
      "parallel": _interval(0.5),
      "difference": _interval(0.1),
    }
    for n in budgets[1:]
  }
  best = {
    str(n): {
      "ratio": "2:1",
      "value": _interval(0.6),
      "difference": _interval(0.07),
    }
    for n in budgets[1:]
  }
  return {
    "pass_at_1_along_chain": [_interval(0.5 + turn / 50) for turn in range(8)],
    "fourth_minus_first": _interval(0.06),
    "spoiled_share": _interval(0.2),
    "mended_share": _interval(0.3),
    "sequential_vs_parallel": dict.fromkeys(_WAYS, both),
    "best_ratio": dict.fromkeys(_WAYS, best),
    "ratio_curves": curves,
    "ratio_curves_by_bin": [curves] * 5,
    "majority_curves": curves,
    "majority_curves_by_bin": [curves] * 5,
    "chosen_by": "history",
    "verifier_ablation": {
      name: {
        "auc": 0.9,
        "auc_within_question": None if name == "prm" else _interval(0.8),
        "sequential": {str(n): _interval(0.5) for n in budgets},
      }
      for name in ("history", "prm")
    },
  }


def test_ratios_stand_in_their_order():
  names = ["1:64", "1:16", "1:2", "1:1", "2:1", "16:1", "256:1"]
  places = [revision_figures.exponent(name) for name in names]
  assert places == [-6, -4, -1, 0, 1, 4, 8]
  fig = revision_figures.ratios(_summary())
  left, right = fig.axes
  for panel, lines in ((left, 3), (right, 5)):
    assert len(panel.get_lines()) == lines
  shown = {label.get_text() for label in left.get_xticklabels()}
  assert shown == {"1:8", "1:4", "1:2", "1:1", "2:1", "4:1", "8:1"}
  values = left.get_lines()[-1].get_ydata()
  assert list(values) == pytest.approx([0.4125, 0.425, 0.45, 0.5])


@pytest.mark.parametrize(
  ("draw", "lines"),
  [
    (revision_figures.along_chain, 1),
    (revision_figures.sequential_against_parallel, 4),
    (revision_figures.by_verifier, 2),
  ],
)
def test_figures_have_their_lines(draw, lines):
  fig = draw(_summary())
  assert len(fig.axes[0].get_lines()) == lines
  assert figures.to_svg(fig) == figures.to_svg(draw(_summary()))


@pytest.mark.parametrize("budgets", [(1, 2), (1, 2, 4, 8), (32, 64), (64, 128)])
def test_labels_of_ratios_have_room(budgets):
  fig = revision_figures.ratios(_summary(budgets))
  for panel in fig.axes:
    labels = [label.get_text() for label in panel.get_xticklabels()]
    assert 2 <= len(labels) <= 7
    places = [revision_figures.exponent(name) for name in labels]
    assert places == sorted(places) == list(panel.get_xticks())
    # Around the middle, whichever ratios there are.
    assert min(map(abs, places)) <= 1


@pytest.mark.parametrize(("turns", "marker"), [(5, "o"), (64, "")])
def test_turns_are_counted_from_1(turns, marker):
  found = {"pass_at_1_along_chain": [_interval(0.5)] * turns}
  (panel,) = revision_figures.along_chain(found).axes
  ticks = panel.get_xticks()
  assert ticks[0] == 1
  assert len(set(ticks)) == len(ticks)
  assert 5 <= len(ticks) <= 10
  assert ticks[-1] <= turns
  assert panel.get_lines()[0].get_marker() == marker


def test_another_model_is_drawn_beside():
  other = [_interval(0.4)] * 5
  fig = revision_figures.along_chain(_summary(), other)
  assert len(fig.axes[0].get_lines()) == 2


def test_the_section_says_the_numbers():
  assert revision_sections.revisions({}) == []
  text = "".join(revision_sections.revisions({"revisions": _summary()}))
  assert "0.060 <small>[-0.040, 0.160]</small>" in text
  assert "right answers that the next revision spoils" in text
  assert text.count("<figure>") == 5
  assert "<td>none</td>" in text
  assert "chosen by, N = 8" in text
  only_one = _summary((1,))
  text = "".join(revision_sections.revisions({"revisions": only_one}))
  assert "chosen by" not in text
