"""The page of a verifier that looked for first wrong steps."""

import html.parser

import made_processbench as made
import numpy as np
import pytest

from tts_jax.report import processbench_page
from tts_jax.scaling import processbench_summary


@pytest.fixture(scope="module")
def summary():
  scored = {
    "gsm8k": made.scored(0),
    "<b>": made.scored(1),
    "right": made.of_scores([[0.7], [0.2]], [-1, -1]),
  }
  return processbench_summary.summarise(scored, choosing="gsm8k", draws=20)


def test_a_line_a_file_and_its_thresholds(summary):
  (panel,) = processbench_page.f1_by_threshold(summary).axes
  curves = [one for one in panel.lines if len(one.get_xdata()) > 2]
  # One kind of solutions alone has no F1.
  assert [one.get_label() for one in curves] == ["gsm8k", "<b>"]
  for line, name in zip(curves, ("gsm8k", "<b>"), strict=True):
    curve = summary["subsets"][name]["curve"]
    np.testing.assert_array_equal(line.get_xdata(), curve["threshold"])
    np.testing.assert_array_equal(line.get_ydata(), curve["f1"])
  used = [one.get_xdata()[0] for one in panel.lines if one not in curves]
  want = [summary["subsets"][name]["thresholds"] for name in ("gsm8k", "<b>")]
  assert used == [*want[0], *want[1]]


class _Cells(html.parser.HTMLParser):
  """The texts of a page's cells."""

  def __init__(self):
    super().__init__()
    self.cells, self.inside = [], False

  def handle_starttag(self, tag, _):
    if tag in ("td", "th"):
      self.cells.append("")
      self.inside = True

  def handle_endtag(self, tag):
    self.inside = self.inside and tag not in ("td", "th")

  def handle_data(self, data):
    if self.inside:
      self.cells[-1] += data


def test_a_row_a_file(summary):
  text = processbench_page.render(
    summary, title="A <title>", settings={"verifier": "<script>"}
  )
  assert "<script>" not in text
  assert "A &lt;title&gt;" in text
  parser = _Cells()
  parser.feed(text)
  rows = [parser.cells[at : at + 7] for at in range(0, len(parser.cells), 7)]
  assert [row[0] for row in rows] == ["solutions of", "gsm8k", "<b>", "right"]
  for row, one in zip(rows[1:], summary["subsets"].values(), strict=True):
    assert row[1] == str(one["erroneous"])
    assert row[3] == str(one["samples"] - one["erroneous"])
    for cell, key in (
      (row[2], "accuracy_erroneous"),
      (row[4], "accuracy_correct"),
      (row[5], "f1"),
    ):
      mean = "none" if one[key] is None else f"{one[key]['mean']:.3f} ["
      assert cell.startswith(mean)
    assert row[6].endswith(f"({one['threshold_from']})")
  # Not of all files, so not of any.
  assert "Average F1" not in text
