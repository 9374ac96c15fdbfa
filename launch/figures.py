"""Draws the paper's figures from a run, by number.

  python -m launch.figures --run runs/reproduce
  python -m launch.figures --run runs/reproduce --figure 9
  python -m launch.figures --run runs/reproduce --figure 8 --numbering iclr

Writes each as SVG and PNG to --out, by default the run's folder `figures`, and
says of every other what the run lacks for it, and which command makes that.
"""

import pathlib
from collections.abc import Mapping
from typing import Any

from absl import flags

from launch import entry, outlook
from tts_jax import errors, json_input, storage
from tts_jax.report import figures, numbering, paper_figures
from tts_jax.store import atomic

_RUN = flags.DEFINE_string("run", None, "Folder of the run.")
_OUT = outlook.out_flag(None, "Folder of the figures.")
_FIGURE = flags.DEFINE_string("figure", "", "Number or name; empty: all.")
_NUMBERING = flags.DEFINE_enum(
  "numbering", "v1", numbering.NUMBERINGS, "The version whose numbers."
)
_FORM = flags.DEFINE_string(
  "form", "", "Of the FLOPs exchange: v1, iclr or derived; as the numbering."
)
_VERIFIER = flags.DEFINE_float(
  "verifier", 0.0, "Cost of a verifier's call, in generations.", 0
)


def main(_: list[str]) -> None:
  """Draws what the run has the data for."""
  if not _RUN.value:
    raise errors.InputError("no run is given; give --run FOLDER")
  wanted = paper_figures.find(_FIGURE.value, _NUMBERING.value)
  run = storage.at(_RUN.value)
  if not (run / "summary.json").is_file():
    raise errors.InputError(
      f"{run / 'summary.json'} is missing; python -m launch.reproduce --out"
      f" {run} writes it"
    )
  summary = json_input.read_object(run / "summary.json")
  out = storage.at(_OUT.value) if _OUT.value else run / "figures"
  outlook.begin(out, outlook.Part("figures", f"{len(wanted)}"))
  atomic.make_folder(out)
  made = [_show(one, summary, run, out) for one in wanted]
  if not any(made):
    raise errors.InputError(
      f"{run} has the data of none of the {len(wanted)} figures asked for"
    )


def _show(
  one: numbering.Figure,
  summary: Mapping[str, Any],
  run: pathlib.Path,
  out: pathlib.Path,
) -> bool:
  """Writes a figure, or says why not; whether there is one."""
  numbers = f"{one.v1 or '-'}/{one.iclr or '-'}"
  says, make = f"{numbers:>11}  {one.name}: ", one.remedy(summary, str(run))
  for page in (there := {p: (run / p).is_file() for p in one.pages}):
    lack = "" if there[page] else f" is missing; {make}"
    print(f"{says}{run / page}{lack}")
  if one.pages:
    return any(there.values())
  accounts = numbering.Accounts(
    verifier=_VERIFIER.value, form=_FORM.value or _NUMBERING.value
  )
  try:
    drawn = numbering.draw(one, summary, accounts)
  except errors.InputError as error:
    print(f"{says}not drawn, {error}; {make}")
    return False
  number = one.number(_NUMBERING.value)
  stem = f"figure_{int(number):02}_{one.name}" if number else one.name
  atomic.write_bytes(out / f"{stem}.svg", figures.to_svg(drawn))
  atomic.write_bytes(out / f"{stem}.png", figures.to_png(drawn))
  print(f"{says}{out / stem}.svg, .png")
  return True


if __name__ == "__main__":
  entry.run(main)
