"""What decoding at given shapes takes: parts of an outlook."""

from collections.abc import Iterator, Sequence

import ml_collections

from launch import outlook
from tts_jax.model import config as config_lib
from tts_jax.model import footprint, transformer
from tts_jax.scaling import flops


def part(
  config: ml_collections.ConfigDict,
  name: str,
  shapes: Sequence[tuple[int, int, int]],
) -> outlook.Part:
  """What shapes take: in each dtype as often as the config says, and once."""
  model = config_lib.TransformerConfig(**config.model.to_dict())
  network = flops.transformer(model)
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
  """What the model takes, and the caches of the largest shape."""
  model = config_lib.TransformerConfig(**config.model.to_dict())
  lm, mesh = transformer.Transformer(model), footprint.abstract_mesh()
  yield "parameters", footprint.parameters(lm, mesh)
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
      for questions, rows, prompt in shapes
    ),
  )
