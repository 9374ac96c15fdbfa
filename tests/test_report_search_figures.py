import numpy as np
import pytest

from tts_jax import errors
from tts_jax.report import figures, search_figures


def _curve(start, budgets=(1, 4, 16, 64, 256)):
  return {
    str(k): {
      "mean": start + 0.02 * index,
      "low": start + 0.02 * index - 0.03,
      "high": start + 0.02 * index + 0.04,
    }
    for index, k in enumerate(budgets)
  }


@pytest.fixture
def curves():
  # Lookahead at budget B runs B / (k + 1) rows, so it has no budget of 1.
  late = ("lookahead_1", "lookahead_3")
  return {
    name: _curve(
      0.3 + 0.05 * index, (4, 16, 64) if name in late else (1, 4, 16)
    )
    for index, name in enumerate(search_figures.METHODS)
  }


def _lines(panel):
  return {
    line.get_label(): [list(axis) for axis in line.get_data()]
    for line in panel.get_lines()
  }


def test_methods_are_drawn_at_their_own_budgets(curves):
  (panel,) = search_figures.methods_by_budget(curves).axes
  lines = _lines(panel)
  for name, (label, _) in search_figures.METHODS.items():
    x, y = lines[label]
    assert x == [int(k) for k in curves[name]]
    assert y == [one["mean"] for one in curves[name].values()]
  ticks = {text.get_text() for text in panel.get_xticklabels()}
  assert ticks == {"1", "4", "16", "64"}
  assert panel.get_legend() is not None


def test_bands_are_the_intervals(curves):
  (panel,) = search_figures.methods_by_budget({"dvts": curves["dvts"]}).axes
  band = panel.collections[0].get_paths()[0].vertices
  at_4 = band[band[:, 0] == 4, 1]
  one = curves["dvts"]["4"]
  assert {at_4.min(), at_4.max()} == {one["low"], one["high"]}


def test_looks_differ_without_colour():
  looks = [look for _, look in search_figures.METHODS.values()]
  assert len({look["color"] for look in looks}) == len(looks)
  assert len({look["marker"] for look in looks}) == len(looks)


def test_an_unknown_method_and_no_method_are_refused(curves):
  with pytest.raises(errors.InputError, match="'mcts' is unknown"):
    search_figures.methods_by_budget({**curves, "mcts": curves["dvts"]})
  with pytest.raises(errors.InputError, match="no method"):
    search_figures.methods_by_budget({})


def test_flops_are_those_of_the_ledger(curves):
  ledger = {
    name: {k: {"flops": 1e9 * (1 + index) * int(k)} for k in curve}
    for index, (name, curve) in enumerate(curves.items())
  }
  left, right = search_figures.methods_by_flops(curves, ledger).axes
  x, y = _lines(right)["best-of-N weighted"]
  assert x == [3e9, 12e9, 48e9]
  assert y == _lines(left)["best-of-N weighted"][1]
  assert right.get_xscale() == "log"
  del ledger["dvts"]["16"]
  with pytest.raises(errors.InputError, match=r"'dvts' has no flops .* 16"):
    search_figures.methods_by_flops(curves, ledger)


def test_bars_by_bin_are_the_two_methods():
  bins = [
    {
      "beam_4": _curve(0.8 - 0.1 * i),
      "best_of_n_weighted": _curve(0.7 - 0.1 * i),
    }
    for i in range(5)
  ]
  fig = search_figures.beam_by_bin(bins)
  assert [panel.get_title() for panel in fig.axes] == [
    "1, easiest", "2", "3", "4", "5, hardest",
  ]  # fmt: skip
  for panel, one in zip(fig.axes, bins, strict=True):
    heights = [bar.get_height() for bar in panel.patches]
    expected = [
      one[name][k]["mean"]
      for name in ("beam_4", "best_of_n_weighted")
      for k in ("4", "16", "64", "256")
    ]
    np.testing.assert_allclose(heights, expected)
    ends = [
      segment[:, 1]
      for bars in panel.collections
      for segment in bars.get_segments()
    ]
    np.testing.assert_allclose(
      ends[0], [one["beam_4"]["4"]["low"], one["beam_4"]["4"]["high"]]
    )


def test_panels_of_bars_stand_in_rows():
  bins = [{"beam_4": _curve(0.5), "best_of_n_weighted": _curve(0.4)}] * 5
  fig = search_figures.beam_by_bin(bins, columns=3, width=3.4, height=3.0)
  assert len(fig.axes) == 5
  rows = [panel.get_subplotspec().rowspan.start for panel in fig.axes]
  assert rows == [0, 0, 0, 1, 1]
  labels = [panel.get_ylabel() for panel in fig.axes]
  assert labels == ["share correct", "", "", "share correct", ""]


def test_bars_need_a_budget_that_both_methods_have():
  bins = [{"beam_4": _curve(0.5), "best_of_n_weighted": _curve(0.5, (1, 2))}]
  with pytest.raises(errors.InputError, match="share none"):
    search_figures.beam_by_bin(bins)
  bins = [{"beam_4": _curve(0.5), "best_of_n_weighted": _curve(0.5, (1, 4))}]
  (panel,) = search_figures.beam_by_bin(bins).axes
  assert len(panel.patches) == 2


def test_an_interval_that_rounding_turned_round_is_drawn():
  one = {"4": {"mean": 1.0, "low": 1.0 + 1e-16, "high": 1.0 - 1e-16}}
  search_figures.beam_by_bin([{"beam_4": one, "best_of_n_weighted": one}])


def test_aggregations_prm_and_weighted_are_the_verifiers():
  verifier = {
    "aggregations": {
      name: {"best_of_n_weighted": _curve(start)}
      for name, start in (("last", 0.5), ("least", 0.4), ("product", 0.3))
    },
    "curves": {
      "majority": _curve(0.3),
      "best_of_n": _curve(0.4),
      "best_of_n_weighted": _curve(0.5),
    },
  }
  orm = {"curves": {"best_of_n_weighted": _curve(0.45)}}
  drawn = {
    name: {label: y[0] for label, (_, y) in _lines(fig.axes[0]).items()}
    for name, fig in (
      ("steps", search_figures.aggregations(verifier)),
      ("models", search_figures.prm_against_orm(verifier, orm)),
      ("votes", search_figures.best_of_n_against_weighted(verifier)),
    )
  }
  assert drawn == {
    "steps": {"last step": 0.5, "least step": 0.4, "product of steps": 0.3},
    "models": {"PRM": 0.5, "ORM": 0.45, "majority": 0.3},
    "votes": {"majority": 0.3, "best-of-N": 0.4, "best-of-N weighted": 0.5},
  }


def test_calibration_points_are_the_bins():
  points = [
    {"score": 0.1, "label": 0.0, "count": 40},
    {"score": 0.9, "label": 0.75, "count": 20},
  ]
  verifier = {"calibration_final": points, "ece_final": 0.1167}
  (panel,) = search_figures.calibration(verifier).axes
  offsets = panel.collections[-1].get_offsets()
  np.testing.assert_allclose(offsets, [[0.1, 0.0], [0.9, 0.75]])
  (bars,) = [c for c in panel.collections if hasattr(c, "get_segments")]
  low, high = bars.get_segments()[1][:, 1]
  # Wilson's interval of 15 out of 20.
  np.testing.assert_allclose([low, high], [0.5313, 0.8881], atol=2e-4)
  assert "0.117" in panel.get_title()


def test_svg_is_the_same_each_time(curves):
  first, second = (
    figures.to_svg(search_figures.methods_by_budget(curves)) for _ in range(2)
  )
  assert first == second
