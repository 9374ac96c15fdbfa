"""Prefill: prompts read as questions enter the decode loop, one by one."""

from collections.abc import Iterator

import ml_collections

from launch import ceilings, throughput, timing
from tts_jax.scaling import roofline


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """A line a shape of `config.prefill`; tokens are those of the prompts."""
  lm, params = timing.model(config)
  machine = ceilings.measure(lm.config.dtype)
  for questions, prompt in config.prefill:
    one = timing.decoding(
      *(lm, params, (questions, 1, prompt)),
      tokens=1,
      repeats=config.repeats,
      seed=config.seed,
    )
    flops = roofline.prefill_flops(lm.config, questions, prompt)
    yield throughput.Line(
      name=f"{questions} of {prompt} tokens",
      seconds=one.prefill.seconds,
      compile=one.prefill.compile,
      tokens=questions * prompt,
      floor=flops / machine.flops_per_second,
      kv_bytes=one.kv.prompts,
      own={"questions": questions, "prompt": prompt},
    )
