"""Chains of operations: for tests and for teaching, on two CPU cores.

python -m launch.train_lm --config configs/train_arithmetic.py \
      --out runs/train_arithmetic
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """0.47M parameters."""
  return ml_collections.ConfigDict(
    {
      "task": "arithmetic",
      "seed": 0,
      "tokenizer": {"vocabulary": 272, "count": 1000},
      "model": {
        "width": 96,
        "layers": 4,
        "heads": 3,
        "kv_heads": 3,
        "head_width": 32,
        "mlp_width": 256,
        "max_positions": 192,
        "dropout": 0.0,
        "dtype": "float32",
      },
      "data": {
        "rows": 32,
        "length": 192,
        "microbatches": 2,
        "prompt_weight": 0.0,
      },
      "validation": {"batches": 8},
      "optimizer": {"learning_rate": 3e-3, "warmup": 200, "weight_decay": 0.1},
      "schedule": {
        "steps": 2600,
        "log_every": 20,
        "validate_every": 250,
        "patience": 8,
      },
    }
  )
