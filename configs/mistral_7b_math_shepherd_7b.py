"""Mistral 7B, searched by Math-Shepherd's verifier.

  python -m launch.search --config=configs/mistral_7b_math_shepherd_7b.py \
      --out runs/mistral_7b_math_shepherd_7b

  hf download mistralai/Mistral-7B-Instruct-v0.1 \
      --local-dir models/Mistral-7B-Instruct-v0.1
  hf download peiyi9979/math-shepherd-mistral-7b-prm \
      --local-dir models/math-shepherd-mistral-7b-prm

For v5e-8, v5e:2x4: 13.4 GiB a chip, as `launch.memory` counts.
"""

import ml_collections

from configs import published


def get_config() -> ml_collections.ConfigDict:
  """All of MATH-500."""
  return published.pair(
    "Mistral-7B-Instruct-v0.1",
    "math-shepherd-mistral-7b-prm",
    "math_shepherd",
    "v5e:2x4",
  )
