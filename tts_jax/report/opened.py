"""A run's folder at a glance: samples, summary, policy, figures."""

import dataclasses
import functools
import pathlib
from typing import Any

from matplotlib import figure

from tts_jax import errors, json_input, storage
from tts_jax.model import embedded
from tts_jax.report import figures, numbering, paper_figures
from tts_jax.scaling import policy_file, summary
from tts_jax.store import packed, pool

_SUMMARY = "summary.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Opened:
  """A run; what it holds is read when it is first asked for.

  Attributes:
    folder: the run's, or a packed run's.
    most: each question's first samples, so many, are taken; None: all.
  """

  folder: pathlib.Path
  most: int | None = None

  @functools.cached_property
  def samples(self) -> pool.Pool:
    """The pool, as of `load_pool`."""
    if not (self.folder / packed.MANIFEST).is_file():
      return pool.load_pool(self.folder, samples=self.most)
    rows = packed.load(self.folder).rows(pool.STAGE)
    return pool.from_rows(rows, self.folder, samples=self.most)

  @functools.cached_property
  def summary(self) -> dict[str, Any]:
    """Its summary.json; without one, or of some samples, what the pool tells.

    Raises:
      InputError: the pool has fewer than 5 questions or 2 samples.
    """
    path = self.folder / _SUMMARY
    if self.most is None and path.is_file():
      return json_input.read_object(path)
    mine = self.samples
    budgets = summary.budgets(mine.correct.shape[1])
    return summary.summarise(mine.answers, mine.correct, budgets, 0)

  @functools.cached_property
  def policy(self) -> policy_file.Policy:
    """Its policy.json.

    Raises:
      InputError: there is none, or as `load_policy`.
    """
    return policy_file.load(self.folder / "policy.json")

  def figure(self, asked: str = "") -> figure.Figure:
    """One figure, as of `draw_figure`."""
    return draw_figure(self.summary, asked)


def open_run(
  folder: str | pathlib.Path = "", *, samples: int | None = None
) -> Opened:
  """Opens a run's folder, or the run that ships.

  Args:
    folder: of a run, or of one that `launch.pack_run` packed; empty is the
      package's: 500 questions, 512 samples each.
    samples: each question's first samples are taken; None: all.

  Raises:
    InputError: there is no such folder.

  Example:
    >>> run = tts.open_run(samples=8)
    >>> run.samples.correct.shape
    (500, 8)
    >>> round(run.summary["pass_at_1"], 1)
    0.6
  """
  path = storage.at(folder) if folder else embedded.FOLDER.parent / "run"
  if not path.is_dir():
    raise errors.InputError(f"{path}: no such folder; give that of a run")
  return Opened(folder=path, most=samples)


def draw_figure(summary: dict[str, Any], asked: str = "") -> figure.Figure:
  """Draws one figure of a run's summary.

  Args:
    summary: of a run.
    asked: the figure's number in the paper's first version, or its name; empty:
      accuracy against samples.

  Raises:
    InputError: there is no such figure, or the summary lacks what it needs.

  Example:
    >>> answers, correct = np.zeros((5, 4), int), np.eye(5, 4) > 0
    >>> numbers = tts.summarise(answers, correct, [1, 4], seed=0)
    >>> len(tts.draw_figure(numbers).axes)
    1
  """
  if not asked:
    return figures.accuracy_by_samples(summary)
  return numbering.draw(paper_figures.find(asked)[0], summary)
