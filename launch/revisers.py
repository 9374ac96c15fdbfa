"""The revision model of the experiment, with its verifiers."""

import dataclasses
from typing import Any

import ml_collections

from launch import generation, judges, planning, revising
from tts_jax import errors, json_input
from tts_jax.model import embedded as models
from tts_jax.revise import state as states
from tts_jax.tasks import base
from tts_jax.verify import embedded


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reviser:
  """A revision model, its verifiers, and the chains that are wanted of it.

  The judge chooses; the other one, of the other kind, is for comparison.
  """

  model: generation.Generator
  judge: judges.Judge
  other: judges.Judge | None
  plan: states.Plan

  def rest_em(self) -> dict[str, Any]:
    """What is known beside the model of one trained by ReST^EM; often {}."""
    path = self.model.folder / models.MODELS
    told = json_input.read_object(path) if path.exists() else {}
    return {"rest_em": told["rest_em"]} if "rest_em" in told else {}


def load(config: ml_collections.ConfigDict, task: base.Task) -> Reviser | None:
  """What the config's revisions need; None where no method asks for them."""
  lengths, wanted = planning.revision_lengths(config), config.revision
  if not lengths:
    return None
  plan, key = revising.plan(config, lengths), "config.revision"
  model = revising.load_reviser(config, task, wanted.model, f"{key}.model")
  judge = judges.load_judge(wanted.verifier, model, f"{key}.verifier")
  path, other = wanted.other, None
  if not path and not wanted.model and not wanted.verifier:
    path = str(embedded.OTHER)
  if path not in ("", embedded.NONE):
    other = judges.load_judge(path, model, f"{key}.other")
    if other.kind == judge.kind:
      raise errors.InputError(
        f"{key}.verifier and {key}.other both are of kind {judge.kind!r}; one"
        f" must read the history, the other not; or {key}.other is"
        f" {embedded.NONE!r}"
      )
  return Reviser(model=model, judge=judge, other=other, plan=plan)
