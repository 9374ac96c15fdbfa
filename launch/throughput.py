"""What timed decoding comes to: tokens a second and shares of the floor."""

from typing import Any

import numpy as np

from launch import timing
from tts_jax.model import transformer
from tts_jax.scaling import roofline

HEAD = "questions  rows  prompt   tokens/s  [low, high]    of floor  KV MB"


def row(
  lm: transformer.Transformer,
  shape: tuple[int, int, int],
  tokens: int,
  one: timing.Timed,
  machine: roofline.Machine,
) -> dict[str, Any]:
  """A shape's figures.

  Args:
    lm: the model.
    shape: questions, rows of each, tokens of a prompt.
    tokens: of each sample.
    one: what was timed.
    machine: that the floor is of.
  """
  named = dict(zip(("questions", "rows", "prompt"), shape, strict=True))
  work = roofline.Decoding(cfg=lm.config, suffix=tokens / 2, **named)
  rate = tokens * work.all_rows / one.decode
  return {
    **named,
    "tokens_per_second": spread(rate),
    "share_of_floor": tokens
    * work.floor(machine)
    / float(np.median(one.decode)),
    "kv_bytes": work.kv_bytes,
    "prefill_seconds": float(np.median(one.prefill)),
    "compile_seconds": one.compile,
  }


def line(found: dict[str, Any]) -> str:
  """It in a line of the table that `HEAD` is of."""
  rate = found["tokens_per_second"]
  return (
    f"{found['questions']:9} {found['rows']:5} {found['prompt']:7}"
    f" {rate['median']:10,.0f}  [{rate['low']:,.0f}, {rate['high']:,.0f}]"
    f"  {found['share_of_floor']:8.0%} {found['kv_bytes'] / 1e6:6.1f}"
  )


def spread(values: np.ndarray) -> dict[str, float]:
  """The median of repeats, and their range."""
  low, median, high = np.quantile(values, (0, 0.5, 1)).tolist()
  return {"median": median, "low": low, "high": high}
