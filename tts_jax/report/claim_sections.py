"""A page's section on the paper's findings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tts_jax.report import document


def claims(summary: Mapping[str, Any]) -> list[str]:
  """Each finding with its verdict and evidence, HTML; nothing without any.

  Args:
    summary: a run's, with `claims` as `scaling.claims.judge` gives them.
  """
  found: Sequence[Mapping[str, str]] = summary.get("claims", ())
  if not found:
    return []
  counts = Counter(one["verdict"] for one in found)
  said = ", ".join(f"{verdict}: {n}" for verdict, n in counts.items())
  rows = [
    (
      document.prose(one["claim"]),
      f"<b>{document.text(one['verdict'])}</b>",
      document.prose(one["evidence"]),
    )
    for one in found
  ]
  return [
    "<h2>The paper's findings on this task</h2>",
    f"<p>{document.text(said)}. A finding holds where the whole 95% interval"
    " says so, does not where none of it does, and cannot be told"
    " otherwise.</p>",
    document.table(("finding", "verdict", "evidence"), rows),
  ]
