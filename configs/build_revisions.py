"""Trajectories to learn revisions from: the paper's 64 samples a question.

  python -m launch.build_revisions --out runs/revisions

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
  config.questions.count = 4000
  config.samples = 64
  # A run of this launcher, on the same questions, whose samples are taken, or
  # one of launch.revise, whose chains are; empty draws samples.
  config.source = ""
  # Answers before a right one; how many is drawn from 0 to so many.
  config.most = 4
  # Share of the contexts that are random samples, right or wrong; in the paper
  # all are wrong, the last of them the nearest to the right one. Of chains: 1
  # takes them up to their last right answer, 0 up to their first (ReST^EM).
  config.natural = 1.0
  # Trajectories of a question at most, and no more than its wrong samples and
  # two; 0: one for each right sample, as in the paper.
  config.room = 24
  # Of the questions too; the model's own were drawn by 0, the verifier's by 1
  # and 2.
  config.seed = 3
  return config
