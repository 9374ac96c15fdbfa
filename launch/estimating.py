"""How long an experiment takes, said before it begins."""

import ml_collections

from launch import planning, shipping
from tts_jax.store import packed
from tts_jax.verify import embedded

# Seconds on two CPU cores with the models of the package: what the parts of
# `launch.reproduce` took at its defaults, over what each drew, compiled and
# scored. Larger runs compile no more, and are somewhat faster.
_SAMPLE, _GENERATION, _ANSWER = 0.0024, 0.0085, 0.02
# Of what is told of it all, and of each question of it.
_TELLING, _TOLD = 30.0, 0.2


def line(
  config: ml_collections.ConfigDict,
  questions: int,
  shipped: packed.Packed | None = None,
) -> str:
  """What is printed at the start; arguments as of `seconds`."""
  parts = seconds(config, questions, shipped)
  said = ", ".join(f"{name} {each / 60:.0f}" for name, each in parts.items())
  whole = sum(parts.values()) / 60
  return (
    f"about {whole:.0f} min with the models of the package on two CPU cores,"
    f" less what is done already: {said}"
  )


def seconds(
  config: ml_collections.ConfigDict,
  questions: int,
  shipped: packed.Packed | None = None,
) -> dict[str, float]:
  """Those of each part of an experiment, on two CPU cores.

  Args:
    config: of the run.
    questions: how many there are.
    shipped: what is not drawn again.

  Returns:
    {part: seconds}.
  """
  parts = {}
  if shipped is None:
    parts["samples"] = _SAMPLE * config.samples * questions
  if config.verifier != embedded.NONE:
    budgets = [cell.budget for cell in planning.cells(config)]
    if shipped is not None:
      budgets = [budget for budget in budgets if budget <= shipping.LIVE]
    parts["searches"] = _GENERATION * sum(budgets) * questions
  if config.verifier != embedded.NONE and shipped is None:
    revised = sum(planning.revision_lengths(config))
    revised += sum(planning.revised_budgets(config))
    parts["revisions"] = _ANSWER * revised * questions
  return parts | {"figures": _TELLING + _TOLD * questions}
