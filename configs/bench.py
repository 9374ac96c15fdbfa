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
        "layers": 8,
        "width": 512,
        "heads": 8,
        "kv_heads": 2,
        "head_width": 64,
        "mlp_width": 896,
        "vocabulary": 32000,
        "max_positions": 2048,
        "tied": True,
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
      # Races beside other programs: as above, and of each question so many
      # samples a row where lengths are real ones.
      "peers": {
        "shapes": ((1, 1, 128), (1, 32, 128), (4, 32, 128)),
        "samples": 4,
      },
      # Of each figure, whose median is told.
      "repeats": 5,
      "seed": 0,
    }
  )
