"""Gemma 3 1B, searched by Skywork's verifier.

  python -m launch.search --config=configs/gemma3_1b_skywork_1b5.py \
      --out runs/gemma3_1b_skywork_1b5

  hf download google/gemma-3-1b-it --local-dir models/gemma-3-1b-it
  hf download Skywork/Skywork-o1-Open-PRM-Qwen-2.5-1.5B \
      --local-dir models/Skywork-o1-Open-PRM-Qwen-2.5-1.5B

For v6e-1, v6e:1x1: 21.9 GiB a chip, as `launch.memory` counts.
"""

import ml_collections

from configs import published


def get_config() -> ml_collections.ConfigDict:
  """All of MATH-500."""
  config = published.pair(
    "gemma-3-1b-it",
    "Skywork-o1-Open-PRM-Qwen-2.5-1.5B",
    "skywork",
    "v6e:1x1",
  )
  # Its template knows no system's turn.
  config.prompt.system = ""
  config.prompt.template = "{question}\n\n" + published.SYSTEM
  return config
