"""What tokens cost, by a config: the networks that they pass through."""

import pathlib
from typing import Any

import ml_collections

from launch import known_shapes, outlook
from tts_jax import storage
from tts_jax.model import embedded
from tts_jax.scaling import flops
from tts_jax.verify import embedded as verifiers
from tts_jax.verify import saved

# Seconds on two CPU cores with the models of the package: what the parts of
# `launch.reproduce` took at its defaults, over what each drew, compiled and
# scored. Larger runs compile no more, and are somewhat faster.
SAMPLE, GENERATION, ANSWER = 0.0024, 0.0085, 0.02
BASIS = "as the package's models take on two CPU cores"


def generator(
  config: ml_collections.ConfigDict,
  path: str | None = None,
  default: pathlib.Path = embedded.FOLDER,
) -> flops.Network:
  """The config's model, or the one at `path`; it need not be there."""
  path = config.model if path is None else path
  folder = embedded.folder(path, config.task, default)
  return flops.transformer(known_shapes.model(folder, "float32").config)


def verifier(config: ml_collections.ConfigDict) -> flops.Network:
  """What the config's verifier adds to each token; nothing where it is none."""
  if config.get("verifier", verifiers.NONE) == verifiers.NONE:
    return flops.Network(parameters=0)
  if config.get("prm", {"format": ""})["format"]:
    folder = storage.at(config.verifier)
    return flops.transformer(known_shapes.model(folder, "float32").config)
  model = embedded.folder(config.model, config.task)
  folder = verifiers.folder(config.verifier, model)
  return flops.reward_model(saved.load(folder)[0])


def part(
  config: ml_collections.ConfigDict,
  name: str,
  size: str,
  tokens: float,
  networks: tuple[flops.Network, ...],
  *,
  seconds: float | None,
  done: float = 0.0,
  context: float = 0.0,
) -> outlook.Part:
  """Work on so many tokens.

  Args:
    config: of the run; the seconds are of the package's model alone.
    name: of the part.
    size: in words.
    tokens: at most.
    networks: that each token passes through.
    seconds: with the models of the package, on two CPU cores; None: not known.
    done: share of it.
    context: tokens that stand before a prompt and its answer.
  """
  limits: Any = config.limits
  behind = context + limits.prompt_tokens + limits.max_tokens / 2
  each = sum(float(network.per_token(behind)) for network in networks)
  own = not config.model and not config.get("prm", {"format": ""})["format"]
  known = own and seconds is not None
  return outlook.Part(
    name,
    size,
    tokens=tokens,
    flops=tokens * each,
    seconds=seconds if known else None,
    basis=BASIS * known,
    done=done,
  )
