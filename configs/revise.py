"""Chains of revisions on the test questions, or on new ones.

  python -m launch.revise --out runs/revise

For a host with two CPU cores; a pod slice takes more groups and rows.
"""

import ml_collections

from configs import reproduce


def get_config() -> ml_collections.ConfigDict:
  """Sixteen chains of five answers."""
  config = reproduce.get_config()
  del config.verifier, config.difficulty, config.scoring
  del config.search, config.exchange, config.samples
  # "test", or new questions of "train" or "validation".
  config.questions.split = "test"
  # Of a file, the share that is "validation"; 0: it is taken for what it is.
  config.questions.held_out = 0.0
  config.questions.count = 0
  # The revision model, a folder; empty is the one of the package.
  config.model = ""
  # Of a question, and answers of each.
  config.chains, config.length = 16, 5
  for key in ("model", "verifier", "other", "budgets"):
    del config.revision[key]
  return config
