"""Chains of operations: for tests and for teaching, on two CPU cores.

python -m launch.train_lm --config configs/train_arithmetic.py \
      --out runs/train_arithmetic
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """0.47M parameters."""
  return ml_collections.ConfigDict(
    {
      # "gsm_symbolic" or "arithmetic".
      "task": "arithmetic",
      # Of all that is drawn.
      "seed": 0,
      # Trained on `count` solutions, to a `vocabulary` of so many tokens.
      "tokenizer": {"vocabulary": 272, "count": 1000},
      # Its shape.
      "model": {
        # Of the residual stream.
        "width": 96,
        # Blocks.
        "layers": 4,
        # Of queries, a multiple of `kv_heads`.
        "heads": 3,
        # Of keys and values.
        "kv_heads": 3,
        # Of each head; even.
        "head_width": 32,
        # The inner width of the feed-forward layer.
        "mlp_width": 256,
        # A prompt and its completion fit in so many tokens.
        "max_positions": 192,
        # Rate, in training.
        "dropout": 0.0,
        # Of products: "float32" or "bfloat16".
        "dtype": "float32",
      },
      # What a step reads.
      "data": {
        # Of a batch.
        "rows": 32,
        # Tokens of a row.
        "length": 192,
        # Parts of a batch, read one after another to save memory.
        "microbatches": 2,
        # What the loss on a prompt's token counts for.
        "prompt_weight": 0.0,
      },
      # Batches of held-out questions.
      "validation": {"batches": 8},
      # AdamW, with a cosine decay to zero.
      "optimizer": {"learning_rate": 3e-3, "warmup": 200, "weight_decay": 0.1},
      # How long to train.
      "schedule": {
        # Of the whole training.
        "steps": 2600,
        # Steps between lines of metrics.
        "log_every": 20,
        # Steps between validations, each followed by a checkpoint.
        "validate_every": 250,
        # Validations without a new best loss before training stops.
        "patience": 8,
      },
    }
  )
