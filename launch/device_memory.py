"""What a config's models take of each chip: parameters, keys and values."""

from collections.abc import Iterator

import jax
import ml_collections

from launch import eight_bit, known_shapes
from tts_jax import storage
from tts_jax.model import config as config_lib
from tts_jax.model import embedded, footprint, transformer
from tts_jax.verify import embedded as verifiers
from tts_jax.verify import saved

# Of the chip's memory: the rest is for what a step computes in passing.
USED = 0.9
CHIPS = {"v5e": 16, "v4": 32, "v6e": 32, "v5p": 95}  # GiB


def here(config: ml_collections.ConfigDict) -> Iterator[tuple[str, int]]:
  """`parts` of the devices at hand."""
  return parts(config, jax.default_backend())


def parts(
  config: ml_collections.ConfigDict, platform: str = "tpu"
) -> Iterator[tuple[str, int]]:
  """What takes memory, and bytes of it on each chip.

  Args:
    config: of what draws.
    platform: of the chips.

  Raises:
    InputError: a model is neither there nor known.
  """
  mesh = footprint.abstract_mesh(**config.mesh)
  # What only scores has solutions in place of rows.
  given = {"groups": 1, "rows": config.get("scoring", {}).get("rows", 0)}
  engine = config.get("engine", ml_collections.ConfigDict(given))
  limits, prm = config.limits, config.get("prm", {"format": ""})
  # Sampling and searching are not on the device at once; a search of budget 1
  # has a question in each row.
  searched = config.search.rows if "search" in config else 0
  rows = max(engine.groups * engine.rows, searched)
  model = embedded.folder(config.model, config.task)
  room = limits.prompt_tokens, limits.max_tokens
  models = [(model, config.dtype, config.get("int8", ""), *room)]
  if prm["format"] and config.verifier != verifiers.NONE:
    room = (
      prm.get("prompt_tokens", limits.prompt_tokens),
      prm.get("row_tokens", limits.max_tokens),
    )
    models.append((storage.fetched(config.verifier), prm.dtype, "", *room))
  caches: list[int] = []
  for folder, dtype, held, prompt, row in models:
    cfg = config_lib.suited(known_shapes.model(folder, dtype).config, platform)
    lm = eight_bit.shaped(transformer.Transformer(cfg), held)
    yield f"parameters of {folder.name}", footprint.parameters(lm, mesh)
    size = {"rows": 1, "prompt_tokens": prompt, "row_tokens": row}
    caches.append(footprint.caches(lm, mesh, questions=rows, **size))
    what = f"{rows} rows of {row} tokens, as many prompts of {prompt}"
    yield what, caches[-1]
  verifier = config.get("verifier", verifiers.NONE)
  # An empty one is the package's, which goes with the package's model alone.
  known = verifier or not config.model
  if known and verifier != verifiers.NONE and not prm["format"]:
    _, head = saved.load(verifiers.folder(verifier, model))
    yield (
      "parameters of its verifier",
      sum(leaf.nbytes for leaf in jax.tree.leaves(head)),
    )
  yield "a copy of the larger cache", max(caches)
