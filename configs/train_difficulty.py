"""The embedded model's difficulty head: pass@1 from a prompt's states.

  python -m launch.train_difficulty --out runs/difficulty

Half a minute on two CPU cores, most of it reading the pools. On 300 held-out
questions its predictions have a rank correlation of 0.85 with pass@1.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """Sizes for the embedded model and 4,000 questions x 64 samples."""
  return ml_collections.ConfigDict(
    {
      # "gsm_symbolic", "arithmetic" or "jsonl".
      "task": "gsm_symbolic",
      # A Hugging Face folder; empty is the model of the package.
      "model": "",
      # Runs of launch.build_revisions or launch.label_steps of that model, on
      # training questions.
      "pools": ("runs/revisions",),
      # As one of `pools`, on other questions, where training stops.
      "held_out": "runs/revisions_held_out",
      # Of all that is drawn.
      "seed": 0,
      # Its shape.
      "head": {
        # Of the hidden layer; 0: none.
        "width": 64,
        # Reads what this block of the model does; the model's number of blocks
        # reads its final states.
        "tap": 4,
      },
      # Questions a step, and prompts read at a time, of so many tokens.
      "data": {"rows": 256, "prompts": 64, "prompt_tokens": 128},
      # AdamW, with a cosine decay to zero.
      "optimizer": {
        # At the end of the warm-up.
        "learning_rate": 3e-3,
        # Steps over which the rate rises.
        "warmup": 20,
        # On matrices alone.
        "weight_decay": 0.1,
        # Decay of the first moment.
        "b1": 0.9,
        # Decay of the second moment.
        "b2": 0.95,
      },
      # Steps in all, steps between validations, and validations without a
      # better one before it stops.
      "schedule": {"steps": 1500, "validate_every": 50, "patience": 10},
    }
  )
