"""Compiles a config's programs for a slice of TPUs, without one.

  pip install -e '.[tpu-aot]'
  python -m launch.compile_for_tpu --topology=v5e:2x4 \
      --config=configs/llama31_8b_rlhflow_8b.py
  python -m launch.compile_for_tpu --topology=v5e:2x4 --config=configs/bench.py

Of a config that samples: prefill and the decode step; with a published verifier
the round of a search as well; of one that trains a language model its step.
Nothing is read or made but shapes. Prints for each program the bytes on a chip,
what chips hand to each other, copies of caches, and what a decode step comes to
beside the hardware's floor (`scaling.chips`). Ends with status 1 where one does
not fit.
"""

import sys

from absl import flags
from ml_collections import config_flags

from launch import compiled, entry, programs, showing_compiled, topologies
from tts_jax import errors, storage
from tts_jax.store import atomic

# Without a default: of what kind of config is not known before.
_CONFIG = config_flags.DEFINE_config_file(
  "config", help_string="Python file with get_config()."
)
_TOPOLOGY = flags.DEFINE_string(
  "topology", "v5e:2x4", "Chip and slice, such as v5e:4x4 or v5p:2x2x2."
)
_MODEL = flags.DEFINE_integer(
  "model", 0, "Chips over which heads are split. 0: as the config says."
)
_ONLY = flags.DEFINE_list("only", [], "Programs to compile. None: all.")
_OUT = flags.DEFINE_string("out", "", "JSON file of what is printed.")


def main(_: list[str]) -> None:
  """Compiles one program after another."""
  config, name = _CONFIG.value, _TOPOLOGY.value
  if config is None:
    raise errors.InputError("--config is missing; give a file of configs/")
  chip = topologies.chip(name)
  lm = programs.model(config)
  mesh = topologies.mesh(name, programs.axes(config, _MODEL.value))
  told = []
  for job in programs.jobs(config, lm, mesh):
    if not _ONLY.value or job.name in _ONLY.value:
      told.append(compiled.measure(job, chip, mesh))
      print(*showing_compiled.lines(told[-1]), sep="\n", flush=True)
  whole = {"topology": name, "mesh": dict(mesh.shape), "programs": told}
  if _OUT.value:
    atomic.write_json(storage.at(_OUT.value), whole)
  if over := [one["program"] for one in told if not one["fits"]]:
    print(f"does not fit {name}: {', '.join(over)}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
  entry.run(main)
