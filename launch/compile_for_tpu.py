"""Compiles a config's programs for a slice of TPUs, without one.

  pip install -e '.[tpu-aot]'
  python -m launch.compile_for_tpu --topology=v5e:2x4 \
      --config=configs/llama31_8b_rlhflow_8b.py
  python -m launch.compile_for_tpu --topology=v5e:2x4 --config=configs/bench.py
  python -m launch.compile_for_tpu --all --out=runs/slices.json

Of a config that samples: prefill and the decode step; with a published verifier
the round of a search as well; of one that trains a language model its step.
Nothing is read or made but shapes. Prints for each program the bytes on a chip,
what chips hand to each other, copies of caches, and what a decode step comes to
beside the hardware's floor (`scaling.chips`). Ends with status 1 where one does
not fit. --all does it for every config that names a slice, ends with a table of
them, and, started again with the same --out, goes on.
"""

import sys
from typing import Any

from absl import flags
from ml_collections import config_flags

from launch import entry, showing_compiled, slices
from tts_jax import errors, storage
from tts_jax.store import atomic

# Without a default: of what kind of config is not known before.
_CONFIG = config_flags.DEFINE_config_file(
  "config", help_string="Python file with get_config()."
)
_ALL = flags.DEFINE_bool("all", False, "Every config that names a slice.")
_TOPOLOGY = flags.DEFINE_string(
  "topology", "", "As v5e:4x4 or v5p:2x2x2; empty: the slice of the config."
)
_MODEL = flags.DEFINE_integer(
  "model", 0, "Chips over which heads are split. 0: as the config says."
)
_ONLY = flags.DEFINE_list("only", [], "Programs to compile. None: all.")
_OUT = flags.DEFINE_string("out", "", "JSON file of what is printed.")


def main(_: list[str]) -> None:
  """Compiles one program after another."""
  config, out = _CONFIG.value, storage.at(_OUT.value) if _OUT.value else None
  if (config is None) != _ALL.value:
    raise errors.InputError("give --config, a file of configs/, or else --all")
  found: dict[str, Any] = {}
  if out:
    atomic.make_folder(out.parent)
  if _ALL.value:
    found = slices.compile_all(out)
    print(*showing_compiled.table(found), sep="\n")
  else:
    split: Any = dict(model=_MODEL.value, only=_ONLY.value)
    for told in slices.compile_one(config, _TOPOLOGY.value, **split):
      found[""] = told
    if out:
      atomic.write_json(out, found[""])
  for name, told in found.items():
    if large := _over(told):
      fault = f"does not fit {told['topology']}: {', '.join(large)}"
      print(f"{name} {fault}".strip(), file=sys.stderr)
  sys.exit(any(map(_over, found.values())))


def _over(told: dict[str, Any]) -> list[str]:
  """Names of the programs that do not fit."""
  return [one["program"] for one in told["programs"] if not one["fits"]]


if __name__ == "__main__":
  entry.run(main)
