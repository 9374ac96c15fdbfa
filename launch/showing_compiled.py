"""Lines that tell of a compiled program."""

import collections
from collections.abc import Iterator, Mapping
from typing import Any

_MEGA, _GIGA = 1e6, 1e9
# Less than so many bytes handed over are told together.
_LEAST = 64 * 1024
_SHOWN = 4


def lines(told: dict[str, Any]) -> Iterator[str]:
  """What `compiled.measure` found, to be read."""
  if "why" in told:
    yield f"{told['program']}: DOES NOT FIT: {told['why'].splitlines()[0]}"
    return
  parts = ("arguments", "temporaries", "output", "aliased", "beside")
  sizes = ", ".join(f"{told[name] / _GIGA:.2f} {name}" for name in parts)
  verdict = "fits" if told["fits"] else "DOES NOT FIT"
  yield (
    f"{told['program']}: {told['needed'] / _GIGA:.2f} GB a chip {verdict}"
    f" {told['memory'] / _GIGA:.0f} GB ({sizes}); compiled in"
    f" {told['compile_seconds']:.0f} s"
  )
  for name, inside in (("in the loop", True), ("outside of it", False)):
    mine = [one for one in told["collectives"] if one["in_loop"] == inside]
    for one in mine:
      if one["bytes"] >= _LEAST:
        yield (
          f"  {name}: {one['count']} {one['kind']} of {_some(one['arrays'])}"
          f" over {one['chips']} chips, {one['bytes'] / _MEGA:.2f} MB each"
        )
    small = sum(one["count"] for one in mine if one["bytes"] < _LEAST)
    if small:
      yield f"  {name}: {small} of less than {_LEAST // 1024} KiB each"
  yield (
    f"  copies of caches: {len(told['copies'])} in the loop,"
    f" {len(told['copies_outside'])} outside of it; updated on the die and"
    f" written back in the loop: {len(told['written_back'])}"
  )
  for one in sorted(set(told["copies"])):
    yield f"    {told['copies'].count(one)} {one} in the loop"
  if "step" in told:
    step = {name: 1e3 * seconds for name, seconds in told["step"].items()}
    yield (
      f"  a step: {step['seconds']:.2f} ms, {step['overlapped']:.2f} if all"
      f" overlaps; floor {step['floor']:.2f} (memory {step['memory']:.2f},"
      f" arithmetic {step['arithmetic']:.2f}, interconnect"
      f" {step['interconnect']:.2f})"
    )
  costs = ", ".join(f"{k} {v:.3g}" for k, v in told["untrusted"].items())
  yield f"  the compiler's own estimate, not to be trusted: {costs}"


def table(found: Mapping[str, Any]) -> Iterator[str]:
  """A table in Markdown of what `slices.compile_all` found."""
  yield (
    "| config | slice | GB a chip, at most | a decode step, ms | if all"
    " overlaps | floor | collectives a step |"
  )
  yield "|---|---|---|---|---|---|---|"
  for name, told in found.items():
    parts = (name, told["topology"], *_row(told["programs"]))
    yield f"| {' | '.join(parts)} |"


def _row(programs: list[dict[str, Any]]) -> Iterator[str]:
  if over := [one["program"] for one in programs if not one["fits"]]:
    yield f"DOES NOT FIT: {', '.join(over)}"
    return
  most = max(programs, key=lambda one: one["needed"])
  sizes = f"{most['needed'] / _GIGA:.1f} of {most['memory'] / _GIGA:.0f}"
  yield f"{sizes} ({most['program']})"
  (step,) = [one for one in programs if "step" in one]
  for key in ("seconds", "overlapped", "floor"):
    yield f"{1e3 * step['step'][key]:.2f}"
  kinds, sent = collections.Counter[str](), 0.0
  for one in step["collectives"]:
    if one["in_loop"]:
      kinds[one["kind"]] += one["count"]
      sent += one["count"] * one["bytes"]
  told = [f"{count} {kind}" for kind, count in kinds.most_common()]
  yield f"{', '.join(told)}: {sent / _MEGA:.1f} MB" if told else "none"


def _some(arrays: list[str]) -> str:
  """The first of many."""
  rest = f" and {len(arrays) - _SHOWN} more" if len(arrays) > _SHOWN else ""
  return " ".join(arrays[:_SHOWN]) + rest
