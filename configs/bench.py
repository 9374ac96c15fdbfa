"""What is timed: a 33M-parameter Llama on two CPU cores.

  python -m launch.bench --out runs/bench

For the machine at hand; `model` takes any shape, `rows` any numbers.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """Minutes on two cores."""
  return ml_collections.ConfigDict(
    {
      # Of random weights.
      "model": {
        # Blocks.
        "layers": 8,
        # Of the residual stream.
        "width": 512,
        # Of queries, a multiple of `kv_heads`.
        "heads": 8,
        # Of keys and values.
        "kv_heads": 2,
        # Of each head; even.
        "head_width": 64,
        # The inner width of the feed-forward layer.
        "mlp_width": 896,
        # Tokens that it knows.
        "vocabulary": 32000,
        # A prompt and its completion fit in so many tokens.
        "max_positions": 2048,
        # The output matrix is the embedding.
        "tied": True,
        # Of products: "float32" or "bfloat16".
        "dtype": "float32",
      },
      # Questions, rows of each, tokens of a prompt.
      "decode": (
        (1, 1, 128),
        (1, 8, 128),
        (1, 32, 128),
        (4, 32, 128),
        (1, 128, 128),
        (1, 256, 128),
        (1, 32, 1024),
      ),
      # Tokens of each sample.
      "tokens": 128,
      # Races beside other programs.
      "peers": {
        # As `decode`.
        "shapes": ((1, 1, 128), (1, 32, 128), (4, 32, 128)),
        # Of each question so many samples a row, where lengths are real ones.
        "samples": 4,
      },
      # Of each figure, whose median is told.
      "repeats": 5,
      # Of all that is drawn.
      "seed": 0,
    }
  )
