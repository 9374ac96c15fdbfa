"""Figures of verifiers side by side: the camera-ready paper's 13 and 17."""

from collections.abc import Mapping
from typing import Any

from matplotlib import figure

from tts_jax.report import curves, search_figures, style

# Names of `scaling.weak_verifiers`; only one of them does without a verifier.
WEAK: Mapping[str, tuple[str, Mapping[str, Any]]] = {
  "majority": ("majority", style.VERMILION),
  "turned": ("PRM, {share:.0%} of scores p as 1 - p", style.SKY),
  "prm": ("PRM", style.BLUE),
  "revision_majority": ("majority, revision model", style.ORANGE),
}
_VOTES = ("majority", "revision_majority")


def weak_verifiers(
  found: Mapping[str, Any],
  *,
  verifier: float = 0.0,
  width: float = 3.4,
  height: float = 2.5,
) -> figure.Figure:
  """Best-of-N weighted by a worsened verifier, between votes and the whole one.

  Args:
    found: with `curves`, of the names of `WEAK`, and `share`, of the scores
      that were turned round.
    verifier: cost of a call, in generations.
    width: in inches.
    height: in inches.

  Raises:
    InputError: there are no curves, or no share.
  """
  where = "weak_verifiers"
  there = curves.lookup(found, "curves", where)
  share = curves.lookup(found, "share", where)
  lines = [
    curves.Line(
      label=label.format(share=share),
      look=look,
      values=there[name],
      verified=name not in _VOTES,
    )
    for name, (label, look) in WEAK.items()
    if name in there
  ]
  return curves.single(lines, verifier=verifier, width=width, height=height)


def best_of_n_by_model(
  prm: Mapping[str, Any],
  orm: Mapping[str, Any] | None = None,
  *,
  verifier: float = 0.0,
  width: float = 3.4,
  height: float = 2.5,
) -> figure.Figure:
  """Best-of-N and its weighted form, by a process and an outcome reward model.

  Args:
    prm: with `curves` of `majority`, `best_of_n` and `best_of_n_weighted`.
    orm: the same of the other model; what it lacks is left out.
    verifier: cost of a call, in generations.
    width: in inches.
    height: in inches.

  Raises:
    InputError: the first lacks a curve.
  """
  looks = {
    ("PRM", "best_of_n"): style.SKY,
    ("PRM", "best_of_n_weighted"): style.BLUE,
    ("ORM", "best_of_n"): style.PURPLE,
    ("ORM", "best_of_n_weighted"): style.GREEN,
  }
  majority = curves.lookup(prm, "curves.majority", "verifier")
  label, look = search_figures.METHODS["majority"]
  lines = [curves.Line(label=label, look=look, values=majority, verified=False)]
  for (model, name), look in looks.items():
    if model == "PRM":
      values = curves.lookup(prm, f"curves.{name}", "verifier")
    else:
      values = (orm or {}).get("curves", {}).get(name)
    if values:
      label = f"{model}, {search_figures.METHODS[name][0]}"
      lines.append(curves.Line(label=label, look=look, values=values))
  return curves.single(lines, verifier=verifier, width=width, height=height)
