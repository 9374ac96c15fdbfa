"""What decoding at given shapes takes: parts of an outlook."""

import dataclasses
from collections.abc import Iterator, Sequence

import jax
import ml_collections

from launch import outlook
from tts_jax import errors
from tts_jax.model import config as config_lib
from tts_jax.model import footprint, transformer
from tts_jax.scaling import flops


def part(
  config: ml_collections.ConfigDict,
  name: str,
  shapes: Sequence[tuple[int, int, int]],
) -> outlook.Part:
  """What shapes take: in each dtype as often as the config says, and once."""
  network = flops.transformer(models(config)[0])
  turns = (config.repeats + 1) * len(config.dtypes)
  tokens, whole = 0.0, 0.0
  for questions, rows, prompt in shapes:
    mine = turns * questions * (prompt + rows * config.tokens)
    tokens += mine
    whole += mine * float(network.per_token(prompt + config.tokens / 2))
  size = f"{len(shapes)} shapes x {turns}"
  return outlook.Part(
    name=name, size=size, tokens=tokens, flops=whole, seconds=None
  )


def memory(
  config: ml_collections.ConfigDict, shapes: Sequence[tuple[int, int, int]]
) -> Iterator[tuple[str, int]]:
  """What the model takes in all dtypes, and caches of the largest shape."""
  lms = [transformer.Transformer(model) for model in models(config)]
  mesh = footprint.abstract_mesh()
  yield "parameters", sum(footprint.parameters(lm, mesh) for lm in lms)
  yield (
    "the largest caches",
    max(
      footprint.caches(
        *(lm, mesh),
        questions=questions,
        rows=rows,
        prompt_tokens=prompt,
        row_tokens=config.tokens,
      )
      for lm in lms
      for questions, rows, prompt in shapes
    ),
  )


def models(
  config: ml_collections.ConfigDict,
) -> list[config_lib.TransformerConfig]:
  """The model in each dtype.

  Raises:
    InputError: there is none, or one is not of `config_lib.DTYPES`.
  """
  if not config.dtypes:
    known = ", ".join(config_lib.DTYPES)
    raise errors.InputError(
      f"config.dtypes is empty; it must have some of {known}"
    )
  model = config_lib.TransformerConfig(**config.model.to_dict())
  platform = jax.default_backend()
  return [
    config_lib.suited(dataclasses.replace(model, dtype=dtype), platform)
    for dtype in config.dtypes
  ]
