"""What races come to: rows of peers.json."""

from collections.abc import Mapping
from typing import Any

from launch import throughput, turns
from tts_jax.scaling import roofline

OURS = "tts_jax"


def row(
  work: roofline.Decoding,
  machine: roofline.Machine,
  lengths: str,
  made: int,
  times: Mapping[str, turns.Times],
) -> dict[str, Any]:
  """What came of one shape.

  Args:
    work: a step of ours.
    machine: that the floor is of.
    lengths: "fixed" or "spread".
    made: tokens that each way makes.
    times: of each way, ours among them.
  """
  rates = {
    name: throughput.spread(made / one.seconds) for name, one in times.items()
  }
  ours = rates[OURS]["median"]
  best = max(set(rates) - {OURS}, key=lambda name: rates[name]["median"])
  theirs = rates[best]["median"]
  return {
    "questions": work.questions,
    "rows": work.rows,
    "prompt": work.prompt,
    "lengths": lengths,
    "dtype": work.cfg.dtype,
    "tokens": made,
    "tokens_per_second": ours,
    "best_generate": best,
    "best_generate_tokens_per_second": theirs,
    "ratio_to_best_generate": ours / theirs,
    "floor_share": ours * work.floor(machine) / work.all_rows,
    "rates": rates,
  }


def line(one: Mapping[str, Any]) -> str:
  """It in words."""
  rates = ", ".join(
    f"{name} {rate['median']:,.0f} [{rate['low']:,.0f}, {rate['high']:,.0f}]"
    for name, rate in one["rates"].items()
  )
  return (
    f"{one['questions']} x {one['rows']} rows, {one['lengths']} lengths,"
    f" {one['dtype']}: {one['ratio_to_best_generate']:.2f} times"
    f" {one['best_generate']}, {one['floor_share']:.0%} of the floor; tokens/s:"
    f" {rates}"
  )
