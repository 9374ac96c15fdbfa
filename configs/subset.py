"""A part of the experiment that two CPU cores make anew in eight minutes.

  python -m launch.reproduce --config configs/subset.py --out runs/subset

For a host with two CPU cores; a pod slice has time for all of it.
"""

import ml_collections

from configs import reproduce


def get_config() -> ml_collections.ConfigDict:
  """150 of the test questions, smaller budgets."""
  config = reproduce.get_config()
  config.questions.count = 150
  config.samples = 256
  config.search.budgets = (1, 2, 4, 16)
  config.revision.budgets = (1, 2, 4, 8, 16)
  return config
