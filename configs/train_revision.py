"""The embedded revision model: the embedded model, taught to mend answers.

  python -m launch.train_revision --out runs/revision

For a host with two CPU cores; a pod slice differs in `data.rows` alone.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """Sizes for a host with two CPU cores; see the model's card."""
  return ml_collections.ConfigDict(
    {
      "task": "gsm_symbolic",
      # The base model, a Hugging Face folder; empty is the one of the package.
      "model": "",
      # A revision model's folder, to be trained on; empty starts from the base.
      "start": "",
      # Runs of launch.build_revisions, of different questions.
      "trajectories": "runs/revisions",
      "held_out": "runs/revisions_held_out",
      "seed": 0,
      # Of the revision model: a prompt, four answers, and one more.
      "max_positions": 576,
      "data": {
        "rows": 14,
        "length": 704,
        "context_tokens": 320,
        # Loss on right answers in the context too; the paper's contexts have
        # none, and its loss is on the last answer alone.
        "every_right": True,
        # Loss on the first of them, right or wrong: the first answer of a chain
        # stays what the base model would say, and what later ones gain is not
        # had by fine-tuning on right answers alone.
        "first_drawn": True,
      },
      "microbatches": 1,
      # Trajectories of validation.
      "validation": 1500,
      # The paper's: batches of 128 trajectories (about what the rows hold), b1
      # and b2, no dropout, no decay said. Its learning rate of 1e-5 is that of
      # billions of parameters; see the card for what it does here.
      "optimizer": {
        "learning_rate": 1.5e-3,
        "warmup": 100,
        "weight_decay": 0.1,
        "b1": 0.9,
        "b2": 0.95,
      },
      "dropout": 0.0,
      "schedule": {
        "steps": 2400,
        "log_every": 20,
        "validate_every": 200,
        "patience": 2,
        # The paper's choice: somewhat after validation, off-policy, turns.
        "past_best": True,
      },
    }
  )
