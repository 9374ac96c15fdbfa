"""A verifier measured on a pool, as `configs/reproduce.py` samples it.

python -m launch.score --out runs/score --config.questions.count=0
"""

import ml_collections

from configs import reproduce


def get_config() -> ml_collections.ConfigDict:
  """The embedded verifier, on a subset of the test questions."""
  config = reproduce.get_config()
  del config.search, config.exchange
  del config.revision, config.difficulty
  return config
