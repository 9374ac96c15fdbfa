"""What a revision does: how right each answer of a chain is.

Chains are of revisions (paper, section 6.1 and figure 6, left).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tts_jax.scaling import intervals
from tts_jax.store import chains as store


def along_chain(chains: store.Chains, seed: int = 0) -> dict[str, Any]:
  """How right each answer of a chain is, and what one revision does.

  Args:
    chains: of a run.
    seed: of the resampling.

  Returns:
    `pass_at_1_along_chain`, an interval a turn, over the chains that have it;
    `fourth_minus_first`, paired, where chains have four answers; and of all
    next revisions `spoiled_share`, that of right answers that become wrong, and
    `mended_share`, that of wrong ones that become right.
  """
  right = chains.answers.correct
  found: dict[str, Any] = {
    "pass_at_1_along_chain": [
      intervals.bootstrap(
        chains.prefixes(right, turn + 1)[..., turn].mean(1), seed=seed
      ).summary()
      for turn in range(max(chains.lengths))
    ]
  }
  if max(chains.lengths) >= 4:
    first, *_, fourth = np.moveaxis(chains.prefixes(right, 4), -1, 0)
    found["fourth_minus_first"] = intervals.paired_difference(
      fourth.mean(1), first.mean(1), seed=seed
    ).summary()
  before, after = _pairs(chains)
  for name, start in (("spoiled_share", True), ("mended_share", False)):
    turned = ((before == start) & (after != start)).sum(1)
    counts = (before == start).sum(1)
    some = counts > 0
    if some.any():
      found[name] = intervals.bootstrap_ratio(
        turned[some], counts[some], seed=seed
      ).summary()
  return found


def models_table(found: Mapping[str, Mapping[str, Any]]) -> str:
  """Revision models side by side, as text.

  Args:
    found: {name: as `along_chain` gives it}, of chains of at least four.
  """
  names = ("first", "fourth", "fourth less first", "spoiled", "mended")
  lines = ["  ".join(f"{cell:>22}" for cell in ("", *names))]
  for name, one in found.items():
    turns = one["pass_at_1_along_chain"]
    cells = [
      *(turns[0], turns[3]),
      *(one.get("fourth_minus_first"), one.get("spoiled_share")),
      one.get("mended_share"),
    ]
    said = [
      f"{cell['mean']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}]"
      if cell
      else "none"
      for cell in cells
    ]
    lines.append("  ".join(f"{cell:>22}" for cell in (name, *said)))
  return "\n".join(lines)


def _pairs(chains: store.Chains) -> tuple[np.ndarray, np.ndarray]:
  """[Q, M] bool, whether an answer is right, and whether the next one is."""
  starts = np.cumsum([0, *chains.lengths[:-1]])
  before = np.concatenate(
    [
      np.arange(start, start + length - 1)
      for start, length in zip(starts, chains.lengths, strict=True)
    ]
  ).astype(np.int64)
  right = chains.answers.correct
  return right[:, before], right[:, before + 1]
