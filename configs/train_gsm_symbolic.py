"""The embedded model: word problems, on two CPU cores.

python -m launch.train_lm --out runs/train_gsm_symbolic
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """Sizes chosen by measurement; see the model's card for the result."""
  return ml_collections.ConfigDict(
    {
      "task": "gsm_symbolic",
      "seed": 0,
      "tokenizer": {"vocabulary": 1024, "count": 20_000},
      "model": {
        "width": 128,
        "layers": 5,
        "heads": 4,
        "kv_heads": 2,
        "head_width": 32,
        "mlp_width": 352,
        "max_positions": 256,
        "dropout": 0.0,
        "dtype": "float32",
      },
      "data": {
        "rows": 32,
        "length": 224,
        "microbatches": 2,
        "prompt_weight": 0.1,
      },
      "validation": {"batches": 8},
      "optimizer": {"learning_rate": 3e-3, "warmup": 200, "weight_decay": 0.1},
      "schedule": {
        "steps": 1600,
        "log_every": 20,
        "validate_every": 200,
        "patience": 8,
      },
    }
  )
