"""The embedded revision verifier: an outcome reward model of chains.

  python -m launch.revise --out runs/chains --config.questions.split=train \
      --config.questions.count=8000 --config.chains=2 --config.seed=15
  python -m launch.revise --out runs/chains_held_out \
      --config.questions.split=validation --config.questions.count=200 \
      --config.chains=4 --config.seed=15
  python -m launch.train_verifier --out runs/revision_verifier \
      --config configs/train_revision_verifier.py

It reads each answer alone, and is trained on whether that answer is right. It
starts from the embedded verifier, with the lower blocks of the model whose
states that reads.
"""

import ml_collections

from configs import train_verifier


def get_config() -> ml_collections.ConfigDict:
  """The embedded verifier, trained on; see its card."""
  config = train_verifier.get_config()
  config.model = "tts_jax/assets/revision"
  config.labels = "runs/chains"
  config.held_out = "runs/chains_held_out"
  # True, as in the paper, reads an answer behind those in its context.
  config.history = False
  config.start = "tts_jax/assets/verifier"
  config.backbone = "tts_jax/assets/model"
  config.worked_seed = 5
  config.head.separate = True
  config.mixture.samples = 6
  config.mixture.worked = 3
  # A prompt, the context and an answer at their limits.
  config.data.length = 576
  config.optimizer.learning_rate = 6e-4
  config.optimizer.warmup = 50
  config.schedule.steps = 1200
  config.schedule.validate_every = 200
  return config
