"""Says what a config's models take of each chip, and runs nothing.

  python -m launch.memory --config=configs/llama32_1b_rlhflow_8b.py
  python -m launch.memory --config=configs/math500.py --config.model=FOLDER

Models need not be there: the shapes of those that configs name are in
configs/shapes/. Counted are parameters, keys and values, and a copy of one row
cache, which reordering may make; a tenth of the chip is left to what a step
computes in passing.
"""

import math

from launch import device_memory, entry

_CONFIG = entry.config_flag("configs/search.py")
_GIB = 2**30


def main(_: list[str]) -> None:
  """Prints a table."""
  config, whole = _CONFIG.value, 0
  chips = math.prod(config.mesh.values())
  for name, size in device_memory.parts(config):
    whole += size
    print(f"{size / _GIB:9.3f} GiB  {name}")
  room = {
    name: device_memory.USED * n for name, n in device_memory.CHIPS.items()
  }
  fits = [chip for chip, most in room.items() if whole < most * _GIB]
  print(
    f"{whole / _GIB:9.3f} GiB on each of {chips} chips, which may be"
    f" {', '.join(fits) or 'none: split over more, by --config.mesh'}"
  )


if __name__ == "__main__":
  entry.run(main)
