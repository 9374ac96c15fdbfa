"""Decoding at fixed lengths, from the first token of a sample to its last."""

from collections.abc import Iterator

import ml_collections
import numpy as np

from launch import ceilings, throughput, timing
from tts_jax.scaling import roofline


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """A line a shape of `config.decode` and dtype, of a model of random weights.

  `forwarded` counts each prompt once a question, whatever its rows.
  """
  for dtype in config.dtypes:
    yield from _lines(config, dtype)


def _lines(
  config: ml_collections.ConfigDict, dtype: str
) -> Iterator[throughput.Line]:
  lm, params = timing.model(config, dtype)
  machine = ceilings.measure(dtype)
  for shape in config.decode:
    questions, rows, prompt = shape
    one = timing.decoding(
      *(lm, params, shape),
      tokens=config.tokens,
      repeats=config.repeats,
      seed=config.seed,
    )
    made, steps = int(one.usage.row_steps), int(one.usage.steps)
    work = roofline.Decoding(
      cfg=lm.config,
      questions=questions,
      rows=rows,
      prompt=prompt,
      suffix=config.tokens / 2,
    )
    yield throughput.Line(
      name=f"{questions} x {rows} rows, prompt {prompt}, {dtype}",
      seconds=one.decode.seconds,
      compile=one.prefill.compile + one.decode.compile,
      tokens=made,
      floor=steps * work.floor(machine),
      utilisation=made / (steps * work.all_rows),
      kv_bytes=one.kv.prompts + one.kv.rows,
      forwarded=(made + questions * (prompt - 1)) / made,
      own={
        "questions": questions,
        "rows": rows,
        "prompt": prompt,
        "dtype": dtype,
        "prefill_seconds": float(np.median(one.prefill.seconds)),
        "prompt_kv_bytes": one.kv.prompts // questions,
        "row_kv_bytes": one.kv.rows // work.all_rows,
      },
    )
