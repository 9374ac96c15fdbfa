"""The figure of what decoding costs."""

import pytest

from tts_jax import errors
from tts_jax.report import cost_figures, figures


def _line(questions, rows, prompt=128):
  seconds = 0.5 * questions + 0.1 * rows * questions
  spread = {"median": seconds, "low": 0.9 * seconds, "high": 1.2 * seconds}
  return {
    **{"questions": questions, "rows": rows, "prompt": prompt},
    **{"seconds": spread, "prefill_seconds": 0.25 * questions},
  }


_LINES = [
  *(_line(1, rows) for rows in (8, 1, 64, 16, 256)),
  *(_line(questions, 16) for questions in (4, 2, 8)),
  *(_line(1, 32, 1024), _line(1, 64, 1024), _line(4, 64)),
]


def test_panels_differ_in_one_number_alone():
  rows, questions = cost_figures.panels(_LINES)
  assert [one["rows"] for one in rows.lines] == [1, 8, 16, 64, 256]
  assert {one["prompt"] for one in rows.lines} == {128}
  assert [one["questions"] for one in questions.lines] == [1, 2, 4, 8]
  assert cost_figures.panels([_line(1, 8), _line(2, 16)]) == []
  (alone,) = cost_figures.panels([_line(2, 8), _line(2, 16)])
  assert alone.key == "rows"


def test_seconds_are_a_questions_and_a_samples():
  fig = cost_figures.cost(_LINES, 128)
  left, right = fig.axes
  question, sample = (line.get_ydata().tolist() for line in left.get_lines())
  assert left.get_lines()[0].get_xdata().tolist() == [1, 8, 16, 64, 256]
  assert question[:2] == pytest.approx([0.85, 1.55])
  assert sample[:2] == pytest.approx([0.85, 1.55 / 8])
  question, sample = (line.get_ydata().tolist() for line in right.get_lines())
  assert question == pytest.approx(4 * [2.35])
  assert sample == pytest.approx(4 * [2.35 / 16])
  assert fig.get_figwidth() == pytest.approx(3.4)
  assert figures.to_png(fig).startswith(b"\x89PNG")


def test_what_varies_in_nothing_is_not_drawn():
  with pytest.raises(errors.InputError, match="no two shapes differ in rows"):
    cost_figures.cost([_line(1, 8)], 128)
