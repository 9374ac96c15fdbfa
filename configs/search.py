"""The sweep of the paper's search figures: all questions, budgets to 256.

  python -m launch.search --out runs/search

For a host with two CPU cores, where it takes hours; a pod slice takes more
groups and rows.
"""

import ml_collections

from configs import reproduce


def get_config() -> ml_collections.ConfigDict:
  """All test questions and budgets, three seeds."""
  config = reproduce.get_config()
  config.samples = 256
  config.search.budgets = (1, 4, 16, 64, 256)
  config.search.most = dict.fromkeys(config.search.most, 256)
  config.search.seeds = 3
  config.revision.budgets = (1, 2, 4, 8, 16, 32, 64, 128, 256)
  return config
