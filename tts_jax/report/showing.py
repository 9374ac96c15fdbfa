"""Pictures as a notebook shows them: what a cell ends with is displayed."""

import base64
import dataclasses
import pathlib

from matplotlib import figure

from tts_jax import errors, storage
from tts_jax.report import document, figures, solved_page
from tts_jax.solving import solver as solver_lib
from tts_jax.store import atomic


@dataclasses.dataclass(frozen=True)
class Shown:
  """A picture, which a notebook displays; elsewhere `save` it.

  Attributes:
    html: a whole document, or a figure as SVG.
  """

  html: str

  def __repr__(self) -> str:
    return f"a picture of {len(self.html):,} characters; save() writes it"

  def _repr_html_(self) -> str:
    # Its styles are its own, and the notebook's not touched by them.
    if self.html.lstrip().startswith("<!doctype"):
      return (
        f'<iframe srcdoc="{document.text(self.html)}" width="100%"'
        ' height="600" style="border: 0"></iframe>'
      )
    data = base64.b64encode(self.html.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" style="width: 480px">'

  def save(self, path: str | pathlib.Path) -> pathlib.Path:
    """Writes it, by its kind for a browser as .html or .svg."""
    atomic.write_bytes(storage.at(path), self.html.encode())
    return storage.at(path)


def show(
  what: figure.Figure | solver_lib.Solved,
  solver: solver_lib.Solver | None = None,
) -> Shown:
  """Makes a figure, or an answer with its tree or chains, a cell's picture.

  Args:
    what: a figure, or what `solver` answered.
    solver: that answered; None for a figure.

  Raises:
    InputError: an answer, and no solver.

  Example:
    >>> numbers = tts.open_run(samples=2).summary
    >>> tts.show(tts.draw_figure(numbers)).html[:5]
    '<?xml'
  """
  if isinstance(what, figure.Figure):
    return Shown(figures.to_svg(what).decode())
  if solver is None:
    raise errors.InputError(
      "an answer is shown with what answered it; give the solver too"
    )
  return Shown(solved_page.render(what, solver))
