"""Curves against a budget, with the verifier's calls counted or not.

The camera-ready paper also draws its figures with the curves that use a
verifier moved by one point, since each of its calls costs as much as a
generation: `verifier` is that cost, in generations.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib import axes, figure

from tts_jax import errors
from tts_jax.report import style

# A legend of more lines would cover some of them.
_INSIDE = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
  """A curve to draw.

  Attributes:
    label: for the legend.
    look: one of `style`'s.
    values: {N: {"mean", "low", "high"}}.
    verified: a verifier was called for each generation.
  """

  label: str
  look: Mapping[str, Any]
  values: style.Curve
  verified: bool = True


def lookup(found: Mapping[str, Any], path: str, where: str) -> Any:
  """What stands at a dotted path.

  Args:
    found: dictionaries in dictionaries.
    path: such as "policy.families".
    where: what `found` is, for the error.

  Raises:
    InputError: a key is missing, or there is nothing under it.
  """
  here: Any = found
  names = path.split(".")
  for depth, name in enumerate(names, 1):
    here = here.get(name) if isinstance(here, Mapping) else None
    if here is None or (isinstance(here, Mapping | Sequence) and not here):
      raise errors.InputError(f"{where} lacks {'.'.join(names[:depth])}")
  return here


def draw(
  panel: axes.Axes,
  lines: Sequence[Line],
  *,
  verifier: float = 0.0,
  max_labels: int = style.MAX_LABELS,
) -> None:
  """Draws lines on a panel and labels its budgets.

  Args:
    panel: to draw on.
    lines: to draw.
    verifier: cost of a call, in generations; it moves lines to the right.
    max_labels: of the horizontal axis.

  Raises:
    InputError: there are no lines, or the cost is below 0.
  """
  if not lines or verifier < 0:
    raise errors.InputError(
      "there is no curve to draw"
      if not lines
      else f"a verifier's call cannot cost {verifier} generations; at least 0"
    )
  budgets: set[float] = set()
  for line in lines:
    factor = 1 + verifier if line.verified else 1
    places = {n: float(int(n) * factor) for n in line.values}
    style.curve(panel, line.values, line.label, line.look, places)
    budgets |= set(places.values())
  style.budget_axis(panel, sorted(budgets), max_labels)
  panel.set_xlabel(axis_label(verifier))


def axis_label(verifier: float) -> str:
  """What the horizontal axis counts."""
  counted = ", verifier's calls counted" if verifier else ", N"
  return f"generations a question{counted}"


def single(
  lines: Sequence[Line],
  *,
  verifier: float = 0.0,
  width: float = 3.4,
  height: float = 2.5,
) -> figure.Figure:
  """A figure of one panel; arguments as of `draw`, sizes in inches."""
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    panel = fig.add_subplot()
    draw(panel, lines, verifier=verifier)
    panel.set_ylabel("share of questions correct")
    if len(lines) > _INSIDE:
      named = panel.get_legend_handles_labels()
      fig.legend(*named, loc="outside upper center", ncols=3, fontsize=6)
    else:
      panel.legend(loc="best", fontsize=7)
  return fig
