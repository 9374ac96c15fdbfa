"""What races come to: rows of peers.json."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from launch import throughput, turns
from tts_jax.model import config
from tts_jax.scaling import roofline

OURS = "tts_jax"


def name(way: str, dtype: str) -> str:
  """Of a way in a dtype."""
  return f"{way} {dtype}"


def rows(
  cfgs: Iterable[config.TransformerConfig],
  machines: Mapping[str, roofline.Machine],
  size: Mapping[str, int],
  lengths: Sequence[int],
  times: Mapping[str, turns.Times],
) -> Iterator[dict[str, Any]]:
  """What came of one shape, of our model in each dtype.

  Args:
    cfgs: the model, once in each dtype.
    machines: that floors are of, by dtype.
    size: `questions`, `rows` and tokens of a `prompt`.
    lengths: of each question's samples.
    times: of each way in each dtype, by `name`, ours among them.
  """
  made = size["questions"] * sum(lengths)
  rates = {
    way: throughput.spread(made / one.seconds) for way, one in times.items()
  }
  others = [way for way in rates if not way.startswith(OURS)]
  best = max(others, key=lambda way: rates[way]["median"])
  theirs = rates[best]["median"]
  for cfg in cfgs:
    suffix = float(np.mean(lengths)) / 2
    work = roofline.Decoding(cfg=cfg, suffix=suffix, **size)
    ours = rates[name(OURS, cfg.dtype)]["median"]
    floor = work.floor(machines[cfg.dtype]) / work.all_rows
    yield {
      **size,
      "dtype": cfg.dtype,
      "tokens": made,
      "tokens_per_second": ours,
      "best_generate": best,
      "best_generate_tokens_per_second": theirs,
      "ratio_to_best_generate": ours / theirs,
      "floor_share": ours * floor,
      "rates": rates,
    }


def line(one: Mapping[str, Any]) -> str:
  """It in words."""
  rates = ", ".join(
    f"{way} {rate['median']:,.0f} [{rate['low']:,.0f}, {rate['high']:,.0f}]"
    for way, rate in one["rates"].items()
  )
  return (
    f"{one['questions']} x {one['rows']} rows, {one['lengths']} lengths,"
    f" {one['dtype']}: {one['ratio_to_best_generate']:.2f} times"
    f" {one['best_generate']}, {one['floor_share']:.0%} of the floor; tokens/s:"
    f" {rates}"
  )
