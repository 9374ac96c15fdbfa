"""Writing the page of a solved question."""

import pathlib

from tts_jax.report import solved_page
from tts_jax.solving import solver
from tts_jax.store import atomic

FOLDER = "shown"


def write(
  out: pathlib.Path, solved: solver.Solved, solving: solver.Solver
) -> pathlib.Path:
  """Writes a question's page below `out`; gives its path."""
  atomic.make_folder(out / FOLDER)
  # An id may hold what a file's name cannot.
  path = out / FOLDER / f"{solved.question.uid:08x}.html"
  atomic.write_bytes(path, solved_page.render(solved, solving).encode())
  return path
