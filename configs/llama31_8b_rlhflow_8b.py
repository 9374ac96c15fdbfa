"""Llama 3.1 8B, searched by RLHFlow's verifier.

  python -m launch.search --config=configs/llama31_8b_rlhflow_8b.py \
      --out runs/llama31_8b_rlhflow_8b

  hf download meta-llama/Llama-3.1-8B-Instruct \
      --local-dir models/Llama-3.1-8B-Instruct
  hf download RLHFlow/Llama3.1-8B-PRM-Deepseek-Data \
      --local-dir models/Llama3.1-8B-PRM-Deepseek-Data

For v5e-8, v5e:2x4: 13.7 GiB a chip, as `launch.memory` counts.
"""

import ml_collections

from configs import published


def get_config() -> ml_collections.ConfigDict:
  """All of MATH-500."""
  return published.pair(
    "Llama-3.1-8B-Instruct",
    "Llama3.1-8B-PRM-Deepseek-Data",
    "rlhflow",
    "v5e:2x4",
  )
