"""ProcessBench's numbers of a verifier, as `summary.json` holds them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tts_jax import errors
from tts_jax.scaling import processbench

CROSS_FITTED, GIVEN = "cross-fitted", "given"
# Of the curves against the threshold.
_GRID = np.linspace(0.01, 0.99, 99)


def choosing_file(
  names: list[str], choosing: str, threshold: float, seed: int = 0
) -> str | None:
  """The file whose solutions choose the threshold; None where one is given.

  Args:
    names: of the files.
    choosing: one of them; empty: the first.
    threshold: above 0 it is the threshold; 0: it is chosen.
    seed: of the halves, and of the resampling.

  Raises:
    InputError: the threshold is outside [0, 1]; there is no such file; both are
      given; the seed is below 0.
  """
  if seed < 0:
    raise errors.InputError(f"config.seed is {seed}; it must be at least 0")
  if not 0 <= threshold <= 1:
    raise errors.InputError(
      f"config.threshold is {threshold}; it must be above 0 and at most 1, or"
      " 0, which has it chosen"
    )
  if choosing and threshold:
    raise errors.InputError(
      f"config.choosing is {choosing!r}, but config.threshold {threshold} is"
      " given already; give one of the two"
    )
  if choosing and choosing not in names:
    raise errors.InputError(
      f"config.choosing is {choosing!r}; it must be one of {', '.join(names)}"
    )
  return None if threshold else choosing or names[0]


def check(
  label: np.ndarray, problem: np.ndarray, *, name: str, seed: int
) -> None:
  """Checks, before anything is scored, that a file can choose a threshold.

  Args:
    label: [S] int, of the file's solutions.
    problem: [S] int, as of `processbench.Scored`.
    name: of the file.
    seed: of the halves.

  Raises:
    InputError: of a half, or of all, none or every one has a wrong step.
  """
  half = processbench.halves(problem, seed)
  for mine in (0, 1):
    faulty = label[half == mine] >= 0
    if not faulty.any() or faulty.all():
      raise errors.InputError(
        f"{name}: {faulty.sum()} of {len(faulty)} solutions in half of it have"
        " a wrong step; to choose a threshold takes some that have and some"
        " that have not: give more solutions, or --config.threshold=0.5"
      )


def summarise(
  scored: Mapping[str, processbench.Scored],
  *,
  choosing: str | None,
  threshold: float = 0.0,
  seed: int = 0,
  draws: int = 10_000,
) -> dict[str, Any]:
  """Measures a verifier on files of solutions.

  The file that chooses the threshold for the others is itself measured with
  thresholds that each half of its problems chose for the other half.

  Args:
    scored: files' solutions by name, at least one file.
    choosing: name of the file that chooses the threshold; None: none does.
    threshold: where none does.
    seed: of the halves, and of the resampling.
    draws: resamplings.

  Returns:
    A dictionary ready for JSON. `subsets`: by name, `samples`, `erroneous`,
    `problems`; `accuracy_erroneous`, `accuracy_correct` and `f1`, intervals, or
    None where there are no solutions to measure them on; `thresholds` and where
    they are from, `threshold_from`: "given", "cross-fitted", or a name;
    `curve`, lists of each measure and of `threshold`, or None. `average_f1`,
    over subsets, None where one has none.

  Raises:
    InputError: as `processbench.cross_fitted`.
  """
  chosen = threshold
  if choosing is not None:
    chosen = processbench.best_threshold(scored[choosing])
  subsets = {}
  for name, one in scored.items():
    used, source = np.full(len(one.label), chosen), choosing or GIVEN
    if name == choosing:
      used, source = processbench.cross_fitted(one, seed), CROSS_FITTED
    subsets[name] = _subset(one, used, seed, draws) | {"threshold_from": source}
  f1 = [one["f1"]["mean"] for one in subsets.values() if one["f1"]]
  whole = len(f1) == len(subsets)
  return {
    "subsets": subsets,
    "average_f1": float(np.mean(f1)) if whole else None,
  }


def _subset(
  scored: processbench.Scored, used: np.ndarray, seed: int, draws: int
) -> dict[str, Any]:
  found = processbench.measure(scored, used, seed=seed, draws=draws)
  faulty = scored.label >= 0
  curve = None
  if faulty.any() and not faulty.all():
    columns = {"threshold": _GRID, **processbench.curve(scored, _GRID)}
    curve = {key: np.round(each, 6).tolist() for key, each in columns.items()}
  return {
    "samples": len(faulty),
    "erroneous": int(faulty.sum()),
    "problems": len(np.unique(scored.problem)),
    **{name: one.summary() if one else None for name, one in found.items()},
    "thresholds": np.unique(used).tolist(),
    "curve": curve,
  }


def headline(summary: Mapping[str, Any]) -> str:
  """A line for each subset, and one for their average."""
  lines = []
  for name, one in summary["subsets"].items():
    at = " and ".join(f"{each:.3f}" for each in one["thresholds"])
    lines.append(
      f"{name}: F1 {_cell(one['f1'], ends=True)}, first error found"
      f" {_cell(one['accuracy_erroneous'])} of {one['erroneous']:,}, passed"
      f" {_cell(one['accuracy_correct'])} of"
      f" {one['samples'] - one['erroneous']:,}, threshold {at}"
      f" ({one['threshold_from']})"
    )
  if len(lines) > 1 and summary["average_f1"] is not None:
    lines.append(f"average F1 {summary['average_f1']:.3f}")
  return "\n".join(lines)


def _cell(one: Mapping[str, float] | None, *, ends: bool = False) -> str:
  if one is None:
    return "none"
  shown = f" [{one['low']:.3f}, {one['high']:.3f}]" if ends else ""
  return f"{one['mean']:.3f}{shown}"
