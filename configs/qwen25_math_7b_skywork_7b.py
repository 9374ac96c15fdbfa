"""Qwen2.5-Math 7B, searched by Skywork's verifier of its size.

  python -m launch.search --config=configs/qwen25_math_7b_skywork_7b.py \
      --out runs/qwen25_math_7b_skywork_7b

  hf download Qwen/Qwen2.5-Math-7B-Instruct \
      --local-dir models/Qwen2.5-Math-7B-Instruct
  hf download Skywork/Skywork-o1-Open-PRM-Qwen-2.5-7B \
      --local-dir models/Skywork-o1-Open-PRM-Qwen-2.5-7B

For v6e-4, v6e:2x2: 15.8 GiB a chip, as `launch.memory` counts.
"""

import ml_collections

from configs import published


def get_config() -> ml_collections.ConfigDict:
  """All of MATH-500."""
  return published.pair(
    "Qwen2.5-Math-7B-Instruct",
    "Skywork-o1-Open-PRM-Qwen-2.5-7B",
    "skywork",
    "v6e:2x2",
  )
