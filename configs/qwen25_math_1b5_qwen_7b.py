"""Qwen2.5-Math 1.5B, searched by its family's verifier.

  python -m launch.search --config=configs/qwen25_math_1b5_qwen_7b.py \
      --out runs/qwen25_math_1b5_qwen_7b

  hf download Qwen/Qwen2.5-Math-1.5B-Instruct \
      --local-dir models/Qwen2.5-Math-1.5B-Instruct
  hf download Qwen/Qwen2.5-Math-PRM-7B \
      --local-dir models/Qwen2.5-Math-PRM-7B

For v6e-4, v6e:2x2: 18.0 GiB a chip, as `launch.memory` counts.
"""

import ml_collections

from configs import published


def get_config() -> ml_collections.ConfigDict:
  """All of MATH-500."""
  return published.pair(
    "Qwen2.5-Math-1.5B-Instruct",
    "Qwen2.5-Math-PRM-7B",
    "qwen_math",
    "v6e:2x2",
  )
