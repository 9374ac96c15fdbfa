"""Figures of bins placed without ground truth: the paper's 11 and 12.

They are figures 3, right, and 7, right, once more: bins are placed by what the
verifier makes of the samples, not by whether they are right.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib import figure

from tts_jax import errors
from tts_jax.report import figures, revision_figures, style

_LOOKS: tuple[Mapping[str, Any], ...] = (
  style.BLUE,
  style.SKY,
  style.GREEN,
  style.ORANGE,
  style.VERMILION,
)


def ratios_by_bin(
  bins: Sequence[Mapping[str, style.Curve]],
  *,
  width: float = 3.4,
  height: float = 2.6,
) -> figure.Figure:
  """Accuracy against the ratio of sequential to parallel, a line a bin.

  Args:
    bins: the easiest first, each {N: {"s:p": interval}}; the largest N of all
      is drawn.
    width: in inches.
    height: in inches.

  Raises:
    InputError: there is no bin, or no N that all have.
  """
  common = set.intersection(*(set(one) for one in bins)) if bins else set()
  if not common:
    raise errors.InputError("the bins share no budget N to draw")
  most = max(common, key=int)
  with mpl.rc_context(style.RC):
    fig = figure.Figure(figsize=(width, height), layout="constrained")
    panel = fig.add_subplot()
    ratios: dict[str, float] = {}
    for index, (one, look) in enumerate(zip(bins, _LOOKS, strict=False)):
      values = one[most]
      places = {name: revision_figures.exponent(name) for name in values}
      names = sorted(values, key=places.__getitem__)
      x = [places[name] for name in names]
      mean, low, high = (
        [values[name][part] for name in names]
        for part in ("mean", "low", "high")
      )
      panel.plot(x, mean, label=figures.bin_name(index, len(bins)), **look)
      panel.fill_between(
        x, low, high, color=look["color"], alpha=0.15, linewidth=0
      )
      ratios |= places
    ticks = sorted(ratios, key=ratios.__getitem__)
    # Labels at both ends, and as many between as there is room for.
    every = -(-len(ticks) // style.MAX_LABELS)
    shown = [name for i, name in enumerate(ticks) if i % every == 0]
    panel.set_xticks([ratios[name] for name in shown], shown)
    panel.set_xlabel(f"sequential : parallel, N = {most}")
    panel.set_ylabel("share of questions correct")
    panel.set_ylim(-0.02, 1.02)
    fig.legend(
      *panel.get_legend_handles_labels(),
      loc="outside upper center",
      ncols=5,
      fontsize=6,
      columnspacing=0.8,
      handlelength=2.2,
    )
  return fig
