"""The sweep of the paper's search figures: all questions, budgets to 256.

  python -m launch.search --out runs/search

For a host with two CPU cores, where it takes hours; a pod slice takes more
groups and rows.
"""

import ml_collections

from configs import score


def get_config() -> ml_collections.ConfigDict:
  """All test questions and budgets, three seeds."""
  config = score.get_config()
  config.questions.count = 0
  config.search = {
    "methods": ("beam_sqrt", "beam_4", "dvts", "lookahead_1", "lookahead_3"),
    # In generations, of each method.
    "budgets": (1, 4, 16, 64, 256),
    # Of the draws; each repeats all searches.
    "seeds": 3,
    # Rows at a time, over all questions, and steps between looks.
    "rows": 256,
    "steps": 64,
  }
  return config
