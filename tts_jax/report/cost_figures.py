"""What decoding costs, by rows of a question and by questions at a time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib import axes, figure

from tts_jax import errors
from tts_jax.report import style

Line = Mapping[str, Any]


class Panel(NamedTuple):
  """Lines that differ in one number alone, which is on the axis.

  Attributes:
    key: "rows" or "questions".
    title: what they share.
    lines: at least two, in the order of that number.
  """

  key: str
  title: str
  lines: list[Line]


def panels(lines: Sequence[Line]) -> list[Panel]:
  """What can be drawn of bench.json's `decode`: up to two panels.

  Of shapes that share all but their rows the most numerous with the fewest
  questions, and of those that share all but their questions the most numerous.
  """
  found = []
  for key, other, title in (
    ("rows", "questions", "Q = {questions}"),
    ("questions", "rows", "N = {rows}"),
  ):
    groups: dict[tuple[int, int], list[Line]] = {}
    for one in lines:
      groups.setdefault((one[other], one["prompt"]), []).append(one)
    mine = max(groups.values(), key=len, default=[])
    if len(mine) > 1:
      ordered = sorted(mine, key=lambda one: one[key])
      found.append(Panel(key, title.format(**ordered[0]), ordered))
  return found


def cost(
  lines: Sequence[Line], tokens: int, *, width: float = 3.4, height: float = 2.2
) -> figure.Figure:
  """Seconds a question, and a sample, by rows and by questions.

  Args:
    lines: bench.json's `decode`; a question's prefill counts.
    tokens: of each sample.
    width: in inches, of all panels together.
    height: in inches.

  Returns:
    A figure of one or two panels, with bands of the turns' range.

  Raises:
    InputError: no two lines differ in rows or in questions alone.
  """
  drawn = panels(lines)
  if not drawn:
    raise errors.InputError(
      "decode: no two shapes differ in rows alone or in questions alone"
    )
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    grid = fig.subplots(1, len(drawn), sharey=True, squeeze=False)[0]
    for panel, one in zip(grid, drawn, strict=True):
      _draw(panel, one)
    prompt = drawn[0].lines[0]["prompt"]
    grid[0].set_ylabel(f"seconds, {tokens} tokens\nbehind a prompt of {prompt}")
    handles = grid[0].get_legend_handles_labels()
    fig.legend(*handles, loc="outside upper center", ncols=2)
  return fig


def _draw(panel: axes.Axes, one: Panel) -> None:
  for label, look, share in (
    ("a question", style.BLUE, lambda line: line["questions"]),
    (
      "a sample",
      style.VERMILION,
      lambda line: line["questions"] * line["rows"],
    ),
  ):
    values = {str(line[one.key]): _seconds(line, share) for line in one.lines}
    style.curve(panel, values, label, look)
  panel.set_yscale("log")
  style.budget_axis(panel, [line[one.key] for line in one.lines], 5)
  panel.set_xlabel(
    "samples a question, N" if one.key == "rows" else "questions, Q"
  )
  panel.set_title(one.title)


def _seconds(line: Line, share: Callable[[Line], int]) -> dict[str, float]:
  names: Iterable[tuple[str, str]] = (
    ("mean", "median"),
    ("low", "low"),
    ("high", "high"),
  )
  return {
    name: (line["seconds"][part] + line["prefill_seconds"]) / share(line)
    for name, part in names
  }
