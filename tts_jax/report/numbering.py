"""What a figure of the paper is: its numbers, its needs, and what draws it.

The arXiv paper's first version and the camera-ready number them differently; a
figure that only one of them has, or that neither has, is found by its name.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from matplotlib import figure

from tts_jax import errors
from tts_jax.report import curves

Summary = Mapping[str, Any]

NUMBERINGS = ("v1", "iclr")
_WHERE = "summary.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Accounts:
  """What is charged, where a figure's axis depends on it.

  Attributes:
    verifier: cost of a verifier's call, in generations, which moves curves that
      use one to the right; 1 is the camera-ready's second axis.
    form: of `scaling.exchange.FORMS`, of pretraining against test time.
  """

  verifier: float = 0.0
  form: str = "v1"


Draw = Callable[[Summary, Accounts], figure.Figure]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
  """One of the paper's figures, or of those beyond it.

  Attributes:
    name: of its files, and to ask for it by.
    v1: its number in the arXiv version, such as "3" or "17-29"; empty: none.
    iclr: its number in the camera-ready.
    caption: what it shows.
    needs: dotted paths that a summary must have.
    source: the command that makes them, {run} being the run's folder.
    drawn: draws it; None for transcripts, which are pages.
    pages: of transcripts, files in the run's folder.
  """

  name: str
  v1: str = ""
  iclr: str = ""
  caption: str
  needs: tuple[str, ...] = ()
  source: str
  drawn: Draw | None = None
  pages: tuple[str, ...] = ()

  def number(self, numbering: str) -> str:
    """Its number in a numbering, one of `NUMBERINGS`."""
    return self.v1 if numbering == "v1" else self.iclr

  def remedy(self, summary: Summary, run: str) -> str:
    """How to get what a run lacks: its own command, or of a replay another's.

    Args:
      summary: of the run.
      run: its folder.
    """
    if "replayed" in summary:
      made = self.source.format(run="FOLDER")
      return f"the replayed file tells no more; with a model: {made}"
    return f"make that by: {self.source.format(run=run)}"

  def is_called(self, asked: str, numbering: str) -> bool:
    """Whether this is meant by a name, or a number inside its range."""
    number = self.number(numbering)
    first, _, last = number.partition("-")
    inside = asked.isdigit() and number != ""
    inside = inside and int(first) <= int(asked) <= int(last or first)
    return inside or asked in (self.name, number)


def lacks(one: Figure, summary: Summary) -> list[str]:
  """What of its needs a summary has not."""
  missing = []
  for path in one.needs:
    try:
      curves.lookup(summary, path, _WHERE)
    except errors.InputError:
      missing.append(path)
  return missing


def draw(
  one: Figure, summary: Summary, accounts: Accounts | None = None
) -> figure.Figure:
  """Draws a figure.

  Args:
    one: the figure.
    summary: of a run.
    accounts: what is charged; None: as in the paper's first version.

  Raises:
    InputError: the summary lacks what it needs, or it is a page of transcripts.
  """
  if one.drawn is None:
    raise errors.InputError(
      f"{one.name} is not drawn; see {' and '.join(one.pages)} of the run"
    )
  missing = lacks(one, summary)
  if missing:
    parts = {path.partition(".")[0]: None for path in missing}
    told = [summary[part] for part in parts if part in summary]
    why = [part["absent"] for part in told if "absent" in part]
    raise errors.InputError(
      f"{_WHERE} lacks {', '.join(missing)}"
      + "".join(f": {reason}" for reason in dict.fromkeys(why))
    )
  return one.drawn(summary, accounts or Accounts())
