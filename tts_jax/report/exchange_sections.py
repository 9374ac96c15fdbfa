"""A page's section on pretraining against test time."""

from collections.abc import Mapping
from typing import Any

from tts_jax.report import document, exchange_figures, figures

Summary = Mapping[str, Any]

# The paper's first version; `launch.figures` draws the other forms.
_FORM = "v1"


def exchange(summary: Summary) -> list[str]:
  """A larger model against test-time compute, HTML; nothing without one.

  Args:
    summary: a run's, with `exchange` where it was compared with a larger model.
  """
  found = summary.get("exchange")
  if not found:
    return []
  return [
    "<h2>Test-time compute or a larger model</h2>",
    document.figure(
      figures.to_svg(exchange_figures.exchange(found, form=_FORM)),
      "accuracy of the small model by generations in each difficulty bin, and"
      " of the larger model at the budgets that equal FLOPs buy",
      f"The larger model has {found['size_ratio']:.3g} times the parameters and"
      " answers once. A star stands at the generations that its FLOPs buy the"
      " small model, for tokens of inference to those of pretraining R.",
    ),
    *(_family(name, one) for name, one in found["families"].items()),
  ]


def _family(name: str, found: Summary) -> str:
  rows = []
  for index, one in enumerate(found["bins"]):
    cells = one.get("at", {}).get(_FORM, {})
    if cells:
      rows.append(_row(figures.bin_name(index, len(found["bins"])), cells))
  everyone = found["all"]["at"][_FORM]
  rows.append(_row("all questions", everyone))
  header = (
    f"{name}, less the larger model",
    *(
      f"R = {r}: {one['budget']:.3g} generations" for r, one in everyone.items()
    ),
  )
  return document.table([document.text(one) for one in header], rows)


def _row(name: str, cells: Summary) -> tuple[str, ...]:
  return (
    document.text(name),
    *(
      document.interval(one["difference"])
      + f"<br><small>{document.text(one['winner'])}"
      + (f", read at {one['measured_at']:g}" if one["beyond"] else "")
      + "</small>"
      for one in cells.values()
    ),
  )
