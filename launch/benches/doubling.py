"""What twice the rows cost."""

from collections.abc import Mapping, Sequence
from typing import Any


def ratios(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
  """Seconds of 2N rows over those of N.

  Args:
    told: lines of bench.json's `decode`.

  Returns:
    A dictionary for each pair of shapes that differ in this alone. Prefill,
    which both have once a question, counts.
  """
  by_shape = {_shape(one, one["rows"]): one for one in told}
  names = "questions", "rows", "prompt", "dtype"
  return [
    {
      **{name: one[name] for name in names},
      "times_as_long": _seconds(twice) / _seconds(one),
      "prompt_kv_bytes": [one["prompt_kv_bytes"], twice["prompt_kv_bytes"]],
    }
    for one in told
    if (twice := by_shape.get(_shape(one, 2 * one["rows"])))
  ]


def line(found: Sequence[Mapping[str, Any]]) -> str:
  """It in a line."""
  parts = (
    f"{one['questions']} x {one['rows']}, prompt {one['prompt']},"
    f" {one['dtype']}: {one['times_as_long']:.2f}"
    for one in found
  )
  return f"times as long with twice the rows: {'; '.join(parts) or '-'}"


def _shape(one: Mapping[str, Any], rows: int) -> tuple[int, int, int, str]:
  return one["questions"], rows, one["prompt"], one["dtype"]


def _seconds(one: Mapping[str, Any]) -> float:
  return float(one["seconds"]["median"] + one["prefill_seconds"])
