"""The embedded revision verifier: an outcome reward model of chains.

  python -m launch.revise --out runs/chains --config.questions.split=train \
      --config.questions.count=1500 --config.chains=4 --config.seed=4 \
      --config.model=runs/revision/model
  python -m launch.train_verifier --out runs/revision_verifier \
      --config configs/train_revision_verifier.py

It reads the revision model's states, each answer behind its context, and is
trained on whether the answer is right.
"""

import ml_collections

from configs import train_verifier


def get_config() -> ml_collections.ConfigDict:
  """The head of the embedded verifier, trained on; see its card."""
  config = train_verifier.get_config()
  config.model = "runs/revision/model"
  config.labels = "runs/chains"
  config.held_out = "runs/chains_held_out"
  config.start = "tts_jax/assets/verifier"
  config.worked_seed = 5
  config.mixture.worked = 2
  # A prompt, the context and an answer at their limits.
  config.data.length = 576
  config.optimizer.learning_rate = 1e-3
  config.schedule.steps = 1500
  config.schedule.validate_every = 250
  return config
