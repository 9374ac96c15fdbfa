import numpy as np
import pytest

from tts_jax.report import figures
from tts_jax.scaling import summary


@pytest.fixture(scope="module")
def numbers():
  rng = np.random.default_rng(0)
  rate = rng.beta(0.7, 0.7, 40)
  correct = rng.random((40, 64)) < rate[:, None]
  answers = np.where(correct, 0, rng.integers(-1, 5, (40, 64)))
  return summary.summarise(answers, correct, summary.budgets(64), 0, draws=50)


def test_curves_are_the_summary(numbers):
  (panel,) = figures.accuracy_by_samples(numbers).axes
  curves = {line.get_label(): line for line in panel.get_lines()}
  for label, name in (("pass@k", "pass_at_k"), ("majority@k", "majority_at_k")):
    x, y = curves[label].get_data()
    assert list(x) == [1, 2, 4, 8, 16, 32, 64]
    assert list(y) == [numbers[name][str(k)]["mean"] for k in x]
  assert len(panel.collections) == 2


def test_bands_are_the_intervals(numbers):
  (panel,) = figures.accuracy_by_samples(numbers).axes
  band = panel.collections[0].get_paths()[0].vertices
  at_4 = band[band[:, 0] == 4, 1]
  one = numbers["pass_at_k"]["4"]
  assert {at_4.min(), at_4.max()} == {one["low"], one["high"]}


def test_axis_is_labelled_by_k(numbers):
  (panel,) = figures.accuracy_by_samples(numbers).axes
  labels = {text.get_text() for text in panel.get_xticklabels()}
  assert labels == {"1", "2", "4", "8", "16", "32", "64"}
  assert panel.get_xscale() == "log"
  assert panel.get_legend() is not None


def test_a_panel_for_each_bin(numbers):
  fig = figures.accuracy_by_bin(numbers)
  assert [panel.get_title() for panel in fig.axes] == [
    "1, easiest (n = 8)",
    "2 (n = 8)",
    "3 (n = 8)",
    "4 (n = 8)",
    "5, hardest (n = 8)",
  ]
  for panel, one in zip(fig.axes, numbers["bins"], strict=True):
    _, y = panel.get_lines()[0].get_data()
    assert list(y) == [value["mean"] for value in one["pass_at_k"].values()]


def test_svg_is_the_same_each_time(numbers):
  first = figures.to_svg(figures.accuracy_by_samples(numbers))
  second = figures.to_svg(figures.accuracy_by_samples(numbers))
  assert first == second
  assert first.startswith(b"<?xml")
