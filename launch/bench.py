"""Times every part against the hardware's floor, measured in the same run.

  python -m launch.bench --out runs/bench
  python -m launch.bench --config.sections="('decode','search')"
  python -m launch.bench --config.sections="('pool',)" \
      --config.pool.questions=500

Sections: `decode`, samples of one length, at each shape and in each dtype;
`prefill`, prompts read, by length; `search` and `revisions`, questions from end
to end; `labels`, Monte Carlo rollouts; `pool`, many samples of many questions;
`precisions`, the same in other numbers; `grading`; `estimates`, expectations
over subsets of a pool; `train`, steps of training.

A line tells the median seconds of a turn; tokens made a second (read, of
prefill and training), with their range; the share that this is of the floor
that memory and arithmetic set (`scaling.roofline`); rows busy, of those put
through the model; bytes of keys and values that there is room for, a
verifier's included; tokens read by models for each one made; and what the
first turn took more, which is compiling. bench.json has all lines by section;
`doubling`, what twice the rows cost; beside it cost.png, by rows and questions.
Run nothing beside it. Another bench, `launch.bench_peers`, sets other programs
beside sampling.
"""

import os
import platform
import time
from typing import Any

import jax

from launch import ceilings, circumstances, entry, outlook, throughput
from launch.benches import doubling, sections, shapes
from tts_jax import storage
from tts_jax.report import cost_figures, figures
from tts_jax.store import atomic

_CONFIG = entry.config_flag("configs/bench.py")
_OUT = outlook.out_flag("runs/bench", "Folder of bench.json.")


def main(_: list[str]) -> None:
  """Times each section, and prints each line as it comes."""
  config = _CONFIG.value
  wanted = sections.find(config.sections)
  # As training has it; what is on one device takes no longer for it.
  jax.config.update("jax_num_cpu_devices", os.cpu_count())
  parts = sections.parts(config, wanted)
  dtypes = [config.model.dtype, *(one.dtype for one in shapes.models(config))]
  outlook.begin(_OUT.value, *parts, memory=shapes.memory(config, config.decode))
  print(f"{platform.machine()}, {os.cpu_count()} cores, jax {jax.__version__}")
  machines = {dtype: ceilings.measure(dtype) for dtype in dict.fromkeys(dtypes)}
  for dtype, one in machines.items():
    print(
      f"{dtype}: {one.bytes_per_second / 1e9:.1f} GB/s,"
      f" {one.flops_per_second / 1e9:.0f} GFLOP/s",
      flush=True,
    )
  told: dict[str, Any] = circumstances.told(machines)
  told["config"] = config.to_dict()
  out = storage.at(_OUT.value)
  atomic.make_folder(out)
  for name, section in wanted.items():
    start, told[name] = time.monotonic(), []
    print(f"\n{name:{throughput.WIDTH}}{throughput.HEAD}", flush=True)
    for line in section.lines(config):
      print(line, flush=True)
      told[name].append(line.told())
      atomic.write_json(out / "bench.json", told)
    print(f"{time.monotonic() - start:.0f} s", flush=True)
  if "decode" in told:
    told["doubling"] = doubling.ratios(told["decode"])
    atomic.write_json(out / "bench.json", told)
    print(f"\n{doubling.line(told['doubling'])}")
    first = [one for one in told["decode"] if one["dtype"] == config.dtypes[0]]
    if cost_figures.panels(first):
      drawn = cost_figures.cost(first, config.tokens)
      atomic.write_bytes(out / "cost.png", figures.to_png(drawn))
      print(out / "cost.png")
  print(out / "bench.json")


if __name__ == "__main__":
  entry.run(main)
