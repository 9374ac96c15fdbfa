"""Qwen3 4B, searched by Qwen2.5-Math's verifier.

  python -m launch.search --config=configs/qwen3_4b_qwen_7b.py \
      --out runs/qwen3_4b_qwen_7b

  hf download Qwen/Qwen3-4B-Instruct-2507 \
      --local-dir models/Qwen3-4B-Instruct-2507
  hf download Qwen/Qwen2.5-Math-PRM-7B \
      --local-dir models/Qwen2.5-Math-PRM-7B

For v6e-4, v6e:2x2: 22.0 GiB a chip, as `launch.memory` counts.
"""

import ml_collections

from configs import published


def get_config() -> ml_collections.ConfigDict:
  """All of MATH-500."""
  return published.pair(
    "Qwen3-4B-Instruct-2507",
    "Qwen2.5-Math-PRM-7B",
    "qwen_math",
    "v6e:2x2",
  )
