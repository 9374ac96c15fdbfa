"""What a compiled program takes and moves, in numbers and in lines."""

import dataclasses
import time
from typing import Any

import jax
import numpy as np

from launch import lowering, tally
from tts_jax.model import footprint
from tts_jax.scaling import chips, hlo


def measure(
  job: lowering.Job, chip: chips.Chip, mesh: jax.sharding.Mesh
) -> dict[str, Any]:
  """Compiles a program; bytes are of one chip."""
  start = time.monotonic()
  try:  # The compiler gives up on what it finds no room for.
    compiled = job.program.lower(*job.args).compile()
  except jax.errors.JaxRuntimeError as error:
    if "RESOURCE_EXHAUSTED" not in str(error):
      raise
    return {"program": job.name, "fits": False, "why": str(error)}
  used, text = compiled.memory_analysis(), compiled.as_text()
  beside = footprint.on_one(job.beside)
  # What is given back in its own place was counted as it came in.
  own = used.argument_size_in_bytes + used.temp_size_in_bytes
  own += used.output_size_in_bytes - used.alias_size_in_bytes
  told = {
    "program": job.name,
    "compile_seconds": time.monotonic() - start,
    "arguments": used.argument_size_in_bytes,
    "temporaries": used.temp_size_in_bytes,
    "output": used.output_size_in_bytes,
    "aliased": used.alias_size_in_bytes,
    "beside": beside,
    "needed": own + beside,
    "memory": chip.memory,
    "fits": own + beside <= chip.memory,
    # Negative seconds were seen, and bytes six times those of the arguments.
    "untrusted": {
      name: value
      for name, value in compiled.cost_analysis().items()
      if name in ("flops", "bytes accessed", "optimal_seconds")
    },
  }
  found = hlo.collectives(text)
  told["collectives"] = list(tally.alike(found))
  sizes = _elements(job.caches)
  moved, outside = (hlo.copies(text, sizes, in_loop=x) for x in (True, False))
  told["copies"] = [str(one) for one in moved if not one.writes_back]
  told["written_back"] = [str(one) for one in moved if one.writes_back]
  told["copies_outside"] = [str(one) for one in outside]
  if job.work is not None:
    told["step"] = _step(job, chip, mesh.size, found)
  return told


def _step(
  job: lowering.Job, chip: chips.Chip, count: int, found: list[hlo.Collective]
) -> dict[str, float]:
  """Seconds of a turn of the loop, by what takes them."""
  params = job.args[0]
  weights, caches = footprint.on_one(params), jax.tree.leaves(job.caches)
  assert job.work is not None
  if not job.work.cfg.tied:  # What is only looked up is not read.
    weights -= footprint.on_one(params["embedding"])
  whole = sum(leaf.size * leaf.dtype.itemsize for leaf in caches)
  step = chips.estimate(
    job.work,
    chip,
    count,
    weight_bytes=weights,
    cache_share=footprint.on_one(caches) / whole,
    found=[one for one in found if one.in_loop],
  )
  told = {"seconds": step.seconds, "overlapped": step.overlapped}
  return {**dataclasses.asdict(step), **told}


def _elements(caches: Any) -> set[int]:
  """Of keys and values on one chip, by array."""
  return {
    int(np.prod(leaf.sharding.shard_shape(leaf.shape)))
    for leaf in jax.tree.leaves(caches)
    if leaf.ndim >= 4
  }
