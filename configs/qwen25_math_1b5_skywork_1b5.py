"""Qwen2.5-Math 1.5B, searched by Skywork's verifier of its size.

  python -m launch.search --config=configs/qwen25_math_1b5_skywork_1b5.py \
      --out runs/qwen25_math_1b5_skywork_1b5

  hf download Qwen/Qwen2.5-Math-1.5B-Instruct \
      --local-dir models/Qwen2.5-Math-1.5B-Instruct
  hf download Skywork/Skywork-o1-Open-PRM-Qwen-2.5-1.5B \
      --local-dir models/Skywork-o1-Open-PRM-Qwen-2.5-1.5B

For v6e-1, v6e:1x1: 23.3 GiB a chip, as `launch.memory` counts.
"""

import ml_collections

from configs import published


def get_config() -> ml_collections.ConfigDict:
  """All of MATH-500."""
  return published.pair(
    "Qwen2.5-Math-1.5B-Instruct",
    "Skywork-o1-Open-PRM-Qwen-2.5-1.5B",
    "skywork",
    "v6e:1x1",
  )
