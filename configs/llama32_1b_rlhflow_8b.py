"""Llama 3.2 1B, searched by RLHFlow's verifier, as search-and-learn has it.

  python -m launch.search --config=configs/llama32_1b_rlhflow_8b.py \
      --out runs/llama32_1b_rlhflow_8b

  hf download meta-llama/Llama-3.2-1B-Instruct \
      --local-dir models/Llama-3.2-1B-Instruct
  hf download RLHFlow/Llama3.1-8B-PRM-Deepseek-Data \
      --local-dir models/Llama3.1-8B-PRM-Deepseek-Data

For v5e-8, v5e:2x4: 9.9 GiB a chip, as `launch.memory` counts.
"""

import ml_collections

from configs import published


def get_config() -> ml_collections.ConfigDict:
  """All of MATH-500."""
  return published.pair(
    "Llama-3.2-1B-Instruct",
    "Llama3.1-8B-PRM-Deepseek-Data",
    "rlhflow",
    "v5e:2x4",
  )
