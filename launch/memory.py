"""Says what a config's models take of each chip, and runs nothing.

  python -m launch.memory --config=configs/llama32_1b_rlhflow_8b.py
  python -m launch.memory --config=configs/math500.py --config.model=FOLDER

Models need not be there: the shapes of those that configs name are in
configs/shapes/. Counted are parameters, keys and values, and a copy of one row
cache, which reordering may make; a tenth of the chip is left to what a step
computes in passing.
"""

import math
from collections.abc import Iterator

import ml_collections

from launch import entry, known_shapes
from tts_jax import storage
from tts_jax.model import embedded, footprint, huggingface_config, transformer

_CONFIG = entry.config_flag("configs/search.py")
# Of the chip's memory: the rest is for what a step computes in passing.
USED = 0.9
CHIPS = {"v5e": 16, "v4": 32, "v6e": 32, "v5p": 95}  # GiB
_GIB = 2**30


def main(_: list[str]) -> None:
  """Prints a table."""
  config, whole = _CONFIG.value, 0
  chips = math.prod(config.mesh.values())
  for name, size in parts(config):
    whole += size
    print(f"{size / _GIB:9.3f} GiB  {name}")
  fits = [chip for chip, room in CHIPS.items() if whole < USED * room * _GIB]
  print(
    f"{whole / _GIB:9.3f} GiB on each of {chips} chips, which may be"
    f" {', '.join(fits) or 'none: split over more, by --config.mesh'}"
  )


def parts(config: ml_collections.ConfigDict) -> Iterator[tuple[str, int]]:
  """What takes memory, and bytes of it on each chip.

  Raises:
    InputError: a model is neither there nor known.
  """
  mesh, engine = footprint.abstract_mesh(**config.mesh), config.engine
  limits, prm = config.limits, config.get("prm", {"format": ""})
  # Sampling and searching are not on the device at once; a search of budget 1
  # has a question in each row.
  searched = config.search.rows if "search" in config else 0
  rows = max(engine.groups * engine.rows, searched)
  model = embedded.folder(config.model, config.task)
  models = [(model, config.dtype, limits.prompt_tokens, limits.max_tokens)]
  if prm["format"]:
    room = prm.prompt_tokens, prm.row_tokens
    models.append((storage.fetched(config.verifier), prm.dtype, *room))
  caches: list[int] = []
  for folder, dtype, prompt, row in models:
    lm = transformer.Transformer(
      huggingface_config.read(known_shapes.find(folder), dtype or "float32")
    )
    yield f"parameters of {folder.name}", footprint.parameters(lm, mesh)
    size = {"rows": 1, "prompt_tokens": prompt, "row_tokens": row}
    caches.append(footprint.caches(lm, mesh, questions=rows, **size))
    what = f"{rows} rows of {row} tokens, as many prompts of {prompt}"
    yield what, caches[-1]
  yield "a copy of the larger cache", max(caches)


if __name__ == "__main__":
  entry.run(main)
