"""A verifier measured on a pool, as `configs/subset.py` samples it.

python -m launch.score --out runs/score --config.questions.count=0
"""

import ml_collections

from configs import subset


def get_config() -> ml_collections.ConfigDict:
  """The embedded verifier, on a subset of the test questions."""
  config = subset.get_config()
  del config.search, config.exchange
  del config.revision, config.difficulty
  return config
