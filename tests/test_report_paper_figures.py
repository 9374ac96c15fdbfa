"""Every figure of the paper, from numbers that look like a run's."""

import copy
import itertools

import pytest
import run_summary

from tts_jax import errors
from tts_jax.report import (
  curves,
  exchange_figures,
  figures,
  numbering,
  paper_figures,
  policy_figures,
  predicted_figures,
  verifier_figures,
)

# Numbers of both versions of the paper.
_BOTH = {*map(str, range(6, 16)), "1", "3", "4"}
_DRAWN = [one for one in paper_figures.FIGURES if one.drawn is not None]


@pytest.fixture(scope="module")
def summary():
  return run_summary.summary()


def _lines(panel):
  return {
    line.get_label(): [list(axis) for axis in line.get_data()]
    for line in panel.get_lines()
  }


def test_the_papers_figures_are_there():
  found = {one.v1 for one in paper_figures.FIGURES} - {""}
  assert found == {*_BOTH, "16", "17-29"}
  found = {one.iclr for one in paper_figures.FIGURES} - {""}
  assert found == {*_BOTH, "17", "18", "19", "20-32"}
  names = [one.name for one in paper_figures.FIGURES]
  assert len(set(names)) == len(names)
  assert all(one.needs or one.pages for one in paper_figures.FIGURES)


@pytest.mark.parametrize("one", _DRAWN, ids=lambda one: one.name)
def test_each_is_drawn_inside_a_column(one, summary):
  fig = numbering.draw(one, summary)
  assert fig.axes
  svg = figures.to_svg(fig)
  assert svg.startswith(b"<?xml")
  assert figures.to_svg(numbering.draw(one, summary)) == svg
  if "ratios" in one.name and "predicted" not in one.name:
    return
  assert fig.get_figwidth() == pytest.approx(3.4)
  fig.draw_without_rendering()
  box, whole = fig.get_tightbbox(), fig.get_size_inches()
  assert box.x0 > -0.01
  assert box.x1 < whole[0] + 0.01
  for panel in fig.axes:
    shown = [
      label.get_window_extent()
      for label in panel.get_xticklabels()
      if label.get_text() and label.get_visible()
    ]
    shown.sort(key=lambda place: place.x0)
    for left, right in itertools.pairwise(shown):
      assert left.x1 <= right.x0, one.name


@pytest.mark.parametrize("one", _DRAWN, ids=lambda one: one.name)
def test_each_says_what_it_lacks(one, summary):
  for path in one.needs:
    found = copy.deepcopy(summary)
    *above, last = path.split(".")
    here = found
    for name in above:
      here = here[name]
    del here[last]
    assert path in numbering.lacks(one, found)
    with pytest.raises(errors.InputError, match=f"summary.json lacks .*{last}"):
      numbering.draw(one, found)
  assert numbering.lacks(one, {}) == list(one.needs)
  assert numbering.lacks(one, summary) == []


def test_figures_are_found_by_number_and_by_name():
  def found(*asked):
    return [one.name for one in paper_figures.find(*asked)]

  assert found("9") == found("8", "iclr") == found("exchange") == ["exchange"]
  assert found("3") == ["search_methods", "search_by_bin"]
  assert found("17") == found("29") == found("17-29") == ["transcripts"]
  assert found("17", "iclr") == ["weak_verifiers"]
  assert len(found("")) == len(paper_figures.FIGURES)
  for asked in ("2", "30", "5-6", "magic"):
    with pytest.raises(errors.InputError, match=rf"no figure {asked} .*17-29"):
      found(asked)
  with pytest.raises(errors.InputError, match="version 'v3'"):
    found("1", "v3")
  with pytest.raises(errors.InputError, match=r"chains.html and trees.html"):
    numbering.draw(paper_figures.find("17")[0], {})


def test_the_policys_lines_are_its_numbers(summary):
  family = policy_figures.read_family(summary["policy"], "search")
  votes = summary["majority_at_k"]
  (panel,) = policy_figures.compute_optimal(family, votes).axes
  lines = _lines(panel)
  assert list(lines) == [
    "majority",
    "best-of-N weighted",
    "compute-optimal, oracle",
    "compute-optimal, predicted",
  ]
  predicted = family["by_difficulty"]["predicted"]["curve"]
  x, y = lines["compute-optimal, predicted"]
  assert x == list(run_summary.BUDGETS)
  assert y == [predicted[f"{n:g}"]["mean"] for n in x]


def test_a_verifiers_calls_move_its_curves_alone(summary):
  family, votes = (
    policy_figures.read_family(summary["policy"], "search"),
    summary["majority_at_k"],
  )
  fig = policy_figures.compute_optimal(family, votes, verifier=1.0)
  lines = _lines(fig.axes[0])
  assert lines["majority"][0] == list(run_summary.BUDGETS)
  moved = [2 * n for n in run_summary.BUDGETS]
  assert lines["best-of-N weighted"][0] == moved
  assert "calls counted" in fig.axes[0].get_xlabel()
  weak = verifier_figures.weak_verifiers(
    summary["weak_verifiers"], verifier=1.0
  )
  lines = _lines(weak.axes[0])
  assert lines["PRM, 20% of scores p as 1 - p"][0] == moved
  assert lines["majority, revision model"][0] == [1, 2, 4, 8, 16]
  with pytest.raises(errors.InputError, match="at least 0"):
    verifier_figures.weak_verifiers(summary["weak_verifiers"], verifier=-1.0)
  with pytest.raises(errors.InputError, match="no curve"):
    curves.single([])


def test_a_star_stands_at_what_equal_flops_buy(summary):
  found = summary["exchange"]
  fig = exchange_figures.exchange(found)
  assert [panel.get_title("left") for panel in fig.axes] == [
    "revisions",
    "search",
  ]
  for panel, name in zip(fig.axes, ("revisions", "search"), strict=True):
    stars = [one for one in panel.get_lines() if one.get_marker() == "*"]
    expected = [
      (budget, one["large"]["mean"])
      for one in found["families"][name]["bins"]
      for budget in found["forms"]["v1"]["budgets"].values()
    ]
    drawn = [(one.get_xdata()[0], one.get_ydata()[0]) for one in stars]
    assert drawn == expected
    # 258 generations are 256 to the eye, so none is hollow.
    assert "white" not in {one.get_markerfacecolor() for one in stars}
  charged = exchange_figures.exchange(found, form="derived")
  assert {text.get_text() for text in charged.axes[0].texts} == {
    f"R = {r}" for r in ("0.08", "0.4", "11")
  }
  with pytest.raises(errors.InputError, match=r"exchange lacks forms\.v9"):
    exchange_figures.exchange(found, form="v9")


def test_what_was_not_measured_is_hollow():
  found = copy.deepcopy(run_summary.of_exchange())
  bins = found["families"]["search"]["bins"]
  bins[4] = {"questions": 0}
  for one in bins[:4]:
    for cells in one["at"].values():
      for cell in cells.values():
        cell["measured_at"] = min(cell["measured_at"], 32.0)
  panel = exchange_figures.exchange(found).axes[1]
  stars = [one for one in panel.get_lines() if one.get_marker() == "*"]
  assert len(stars) == 12
  hollow = [one for one in stars if one.get_markerfacecolor() == "white"]
  assert sorted({round(one.get_xdata()[0]) for one in hollow}) == [63, 258]


def test_the_overview_has_a_row_for_each_family_of_both(summary):
  policy, found = summary["policy"], summary["exchange"]
  fig = exchange_figures.overview(policy, found)
  assert len(fig.axes) == 4
  bars = fig.axes[1].patches
  assert len(bars) == 15
  easiest = found["families"]["revisions"]["bins"][0]["at"]["v1"]
  heights = [bar.get_height() for bar in bars[:3]]
  assert heights == [
    easiest[r]["difference"]["mean"] for r in ("0.16", "0.79", "22")
  ]
  one = {**policy, "families": {"search": policy["families"]["search"]}}
  assert len(exchange_figures.overview(one, found).axes) == 2
  pooled = {**policy, "families": {"pooled": policy["families"]["pooled"]}}
  with pytest.raises(errors.InputError, match="a family of both"):
    exchange_figures.overview(pooled, found)


def test_estimates_of_difficulty_are_drawn_with_their_policies(summary):
  family = policy_figures.read_family(summary["policy"], "search")
  fig = policy_figures.difficulty_estimates(summary["difficulty"], family)
  top, bottom = fig.axes
  shown = [label.get_text() for label in top.get_yticklabels()]
  assert shown == ["predicted", "first samples", "prompt head"]
  assert [text.get_text() for text in top.texts] == ["0.93", "0.71", "0.58"]
  named = [text.get_text() for text in bottom.get_legend().get_texts()]
  assert named == ["oracle", "predicted", "first samples", "prompt head"]
  assert bottom.get_ylabel() == "optimal less best-of-N weighted"
  alone = policy_figures.difficulty_estimates(summary["difficulty"])
  assert len(alone.axes) == 1
  estimates = {"estimates": {"head": {"sizes": [1]}}}
  with pytest.raises(errors.InputError, match=r"head lacks rank_correlation"):
    policy_figures.difficulty_estimates(estimates)


def test_the_policys_choices_are_cells(summary):
  family = policy_figures.read_family(summary["policy"], "search")
  fig = policy_figures.choices_by_bin(family)
  panel = fig.axes[0]
  assert len(panel.patches) == 5 * len(run_summary.BUDGETS)
  # All folds took one strategy in the first cell, so it has no share.
  assert len(panel.texts) == len(panel.patches) - 1
  with pytest.raises(errors.InputError, match=r"by_difficulty\.other"):
    policy_figures.choices_by_bin(family, estimate="other")
  # Budgets given to a strategy do not part it: a policy may underspend.
  policy = {
    "baseline": {"8": {"value": run_summary.interval(0.5)}},
    "families": {
      "search": {
        "first_8": {
          "generations": {
            "8": {
              "value": run_summary.interval(0.6),
              "less_baseline": run_summary.interval(0.1),
              "chosen": [{"a@8": 0.4, "b@4": 0.35, "b@2": 0.25}, {}],
            }
          }
        }
      }
    },
  }
  read = policy_figures.read_family(policy, "search")["by_difficulty"]
  assert read["first"]["chosen"] == [{"8": {"b": 0.6, "a": 0.4}}, {}]
  bare = {"baseline": family["baseline"], "by_difficulty": {"head": {}}}
  with pytest.raises(errors.InputError, match="lacks oracle"):
    policy_figures.compute_optimal(bare)


def test_ratios_by_bin_are_those_of_the_largest_shared_budget(summary):
  bins = summary["revisions"]["ratio_curves_by_predicted_bin"]
  short = [{n: one[n] for n in ("4", "16")} for one in bins]
  (panel,) = predicted_figures.ratios_by_bin([*bins[:4], short[4]]).axes
  assert "N = 16" in panel.get_xlabel()
  y = panel.get_lines()[0].get_ydata()
  names = ("1:16", "1:4", "1:1", "4:1", "16:1")
  assert list(y) == [bins[0]["16"][name]["mean"] for name in names]
  for wrong in ([], [{"4": {}}, {"8": {}}]):
    with pytest.raises(errors.InputError, match="no budget N"):
      predicted_figures.ratios_by_bin(wrong)


def test_an_outcome_model_is_drawn_where_it_was_measured(summary):
  prm = summary["verifier"]
  orm = prm["regimes"]["outcome"]
  assert (
    len(verifier_figures.best_of_n_by_model(prm, orm).axes[0].get_lines()) == 5
  )
  bare = {"curves": {k: v for k, v in orm["curves"].items() if "best" not in k}}
  fig = verifier_figures.best_of_n_by_model(prm, bare)
  assert len(fig.axes[0].get_lines()) == 3
  with pytest.raises(errors.InputError, match=r"lacks curves\.majority"):
    verifier_figures.best_of_n_by_model({"curves": {"best_of_n": {}}})
