"""The embedded model: word problems, on two CPU cores.

python -m launch.train_lm --out runs/train_gsm_symbolic
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """Sizes chosen by measurement; see the model's card for the result."""
  return ml_collections.ConfigDict(
    {
      # "gsm_symbolic" or "arithmetic".
      "task": "gsm_symbolic",
      # Of all that is drawn.
      "seed": 0,
      # Trained on `count` solutions, to a `vocabulary` of so many tokens.
      "tokenizer": {"vocabulary": 1024, "count": 20_000},
      # Its shape.
      "model": {
        # Of the residual stream.
        "width": 128,
        # Blocks.
        "layers": 5,
        # Of queries, a multiple of `kv_heads`.
        "heads": 4,
        # Of keys and values.
        "kv_heads": 2,
        # Of each head; even.
        "head_width": 32,
        # The inner width of the feed-forward layer.
        "mlp_width": 352,
        # A prompt and its completion fit in so many tokens.
        "max_positions": 256,
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
        "length": 224,
        # Parts of a batch, read one after another to save memory.
        "microbatches": 2,
        # What the loss on a prompt's token counts for.
        "prompt_weight": 0.1,
      },
      # Batches of held-out questions.
      "validation": {"batches": 8},
      # AdamW, with a cosine decay to zero.
      "optimizer": {"learning_rate": 3e-3, "warmup": 200, "weight_decay": 0.1},
      # How long to train.
      "schedule": {
        # Of the whole training.
        "steps": 1600,
        # Steps between lines of metrics.
        "log_every": 20,
        # Steps between validations, each followed by a checkpoint.
        "validate_every": 200,
        # Validations without a new best loss before training stops.
        "patience": 8,
      },
    }
  )
