"""Labels to train a verifier on: the paper's 16 samples and 16 rollouts.

  python -m launch.label_steps --out runs/labels

Makes new questions, so it needs reasoning-gym: `pip install -e '.[data]'`.
"""

import ml_collections

from configs import reproduce


def get_config() -> ml_collections.ConfigDict:
  """Sizes for a host with two CPU cores."""
  config = reproduce.get_config()
  del config.verifier, config.scoring, config.difficulty
  del config.search, config.exchange, config.revision
  # "train" or "validation": of a file, the questions without the share that is
  # held out, and that share.
  config.questions.split = "train"
  # The share that is held out; 0: a file is taken for what it is.
  config.questions.held_out = 0.0
  config.questions.count = 1000
  config.samples = 16
  # From the end of each step; with 0, labels are from the samples alone.
  config.rollouts = 16
  # Of the questions too. The model's own training questions were drawn by 0; on
  # those it is better than a verifier will find it.
  config.seed = 1
  # Prefixes of a solution that are rolled out in one pass at most.
  config.engine.branches = 16
  return config
