"""A model 14 times larger, of the embedded one's family, data and tokens.

  python -m launch.train_lm --config configs/train_larger.py --out runs/larger

What the exchange of pretraining for test-time compute is measured against
(Snell et al. 2024, section 7): the larger model answers once, greedily. It
takes an hour on two CPU cores; a pod slice differs in `data.microbatches`.
"""

import ml_collections

from configs import train_gsm_symbolic


def get_config() -> ml_collections.ConfigDict:
  """14.5M parameters against 1.05M; the learning rate is scaled by width."""
  config = train_gsm_symbolic.get_config()
  config.model.width = 384
  config.model.layers = 8
  config.model.heads = 12
  config.model.kv_heads = 6
  config.model.mlp_width = 1152
  # A quarter faster on a CPU that multiplies in it.
  config.model.dtype = "bfloat16"
  config.optimizer.learning_rate = 1e-3
  return config
