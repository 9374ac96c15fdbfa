"""Figures and pages of revisions, from numbers that look like a run's."""

import re

import pytest

from tts_jax.report import (
  chain_page,
  figures,
  revision_figures,
  revision_sections,
)
from tts_jax.scaling import revisions


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
    "sequential_vs_parallel": {"verifier": both, "majority": both},
    "best_ratio": {"verifier": best, "majority": best},
    "ratio_curves": curves,
    "ratio_curves_by_bin": [curves] * 5,
    "majority_curves": curves,
    "majority_curves_by_bin": [curves] * 5,
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


def _plain(html):
  return re.sub(r"<[^>]+>", "", html)


@pytest.mark.parametrize(
  ("before", "after", "marked"),
  [
    ("3 + 4 = 7", "3 * 4 = 12", ["<del>+</del><ins>*</ins>", "<ins>12</ins>"]),
    ("a b", "a b", []),
    ("a b c", "a c", ["<del>b "]),
    ("", "x < y", ["<ins>x &lt; y</ins>"]),
  ],
)
def test_words_that_change_are_marked(before, after, marked):
  found = chain_page.difference(before, after)
  for part in marked:
    assert part in found
  if not marked:
    assert "<" not in found
  kept = re.sub(r"<del>.*?</del>", "", found)
  escaped = after.replace("<", "&lt;")
  assert _plain(kept).split() == escaped.split()


def test_the_page_of_chains_is_escaped_and_whole():
  first = chain_page.Answer(
    text="<b>1</b>\n#### 1",
    verdict="wrong",
    answer="1",
    score=0.25,
    shown=(),
  )
  second = chain_page.Answer(
    text="2", verdict="ungradable", answer=None, score=None, shown=(1,)
  )
  question = chain_page.Question(
    level="easy", text="<i>?", answer="2", chains=[[first, second]]
  )
  page = chain_page.render([question], title="T", links={"report": "r.html"})
  assert "<b>1</b>" not in page
  assert "&lt;b&gt;1&lt;/b&gt;" in page
  assert "&lt;i&gt;?" in page
  assert "score 0.25" in page
  assert "cut, no score" in page
  assert "in view: 1" in page
  assert 'href="r.html"' in page
  for outside in ("http://", "https://", "<script"):
    assert outside not in page
