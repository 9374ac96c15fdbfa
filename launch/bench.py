"""Times sampling against the hardware's floor, measured in the same run.

  python -m launch.bench --out runs/bench
  python -m launch.bench --config.model.dtype=bfloat16 --config.repeats=3

Prints a table, tokens a second, share of the floor that memory and arithmetic
set (`scaling.roofline`) and bytes of keys and values. bench.json has these, and
what prefill and compiling took. Run nothing beside it. Another bench,
`launch.bench_peers`, sets other programs beside it.
"""

import dataclasses
import os
import pathlib
import platform
from typing import Any

import jax
from absl import flags

from launch import ceilings, entry, throughput, timing
from tts_jax.model import config as config_lib
from tts_jax.model import transformer
from tts_jax.scaling import roofline
from tts_jax.store import atomic, provenance

_CONFIG = entry.config_flag("configs/bench.py")
_OUT = flags.DEFINE_string("out", "runs/bench", "Folder of bench.json.")


def main(_: list[str]) -> None:
  """Times each shape, and prints it as it comes."""
  config = _CONFIG.value
  lm = transformer.Transformer(
    config_lib.TransformerConfig(**config.model.to_dict())
  )
  weights = roofline.matrix_elements(lm.config) / 1e6
  machine = ceilings.measure(lm.config.dtype)
  print(
    f"{weights:.1f}M weights, {lm.config.dtype}, {platform.machine()},"
    f" {os.cpu_count()} cores, jax {jax.__version__}:"
    f" {machine.bytes_per_second / 1e9:.1f} GB/s,"
    f" {machine.flops_per_second / 1e9:.0f} GFLOP/s",
    flush=True,
  )
  params = timing.drawn(lm, config.seed)
  print(throughput.HEAD)
  rows = []
  for shape in config.decode:
    times: Any = dict(repeats=config.repeats, seed=config.seed)
    one = timing.decoding(lm, params, shape, tokens=config.tokens, **times)
    rows.append(throughput.row(lm, shape, config.tokens, one, machine))
    print(throughput.line(rows[-1]), flush=True)
  told = {
    "commit": provenance.commit(),
    "jax": jax.__version__,
    "machine": dataclasses.asdict(machine),
    "config": config.to_dict(),
    "decode": rows,
  }
  out = pathlib.Path(_OUT.value)
  atomic.make_folder(out)
  atomic.write_json(out / "bench.json", told)
  print(out / "bench.json")


if __name__ == "__main__":
  entry.run(main)
