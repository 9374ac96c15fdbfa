"""The embedded revision model: the embedded model, taught to mend answers.

  python -m launch.train_revision --out runs/revision

For a host with two CPU cores; a pod slice differs in `data.rows` alone.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """Sizes for a host with two CPU cores; see the model's card."""
  return ml_collections.ConfigDict(
    {
      # "gsm_symbolic", "arithmetic" or "jsonl".
      "task": "gsm_symbolic",
      # The base model, a Hugging Face folder; empty is the one of the package.
      "model": "",
      # A revision model's folder, to be trained on; empty starts from the base.
      "start": "",
      # A run of launch.build_revisions.
      "trajectories": "runs/revisions",
      # As `trajectories`, of other questions: for validation.
      "held_out": "runs/revisions_held_out",
      # Of all that is drawn.
      "seed": 0,
      # Of the revision model: a prompt, four answers, and one more.
      "max_positions": 576,
      # What a step reads.
      "data": {
        # Of a batch.
        "rows": 14,
        # Tokens of a row.
        "length": 704,
        # Tokens of the context, at most.
        "context_tokens": 320,
        # Loss on right answers in the context too; the paper's contexts have
        # none, and its loss is on the last answer alone.
        "every_right": True,
        # Loss on the first of them, right or wrong: the first answer of a chain
        # stays what the base model would say, and what later ones gain is not
        # had by fine-tuning on right answers alone.
        "first_drawn": True,
      },
      # Parts of a batch, read one after another to save memory.
      "microbatches": 1,
      # Trajectories of validation.
      "validation": 1500,
      # The paper's: batches of 128 trajectories (about what the rows hold), b1
      # and b2, no dropout, no decay said. Its learning rate of 1e-5 is that of
      # billions of parameters; see the card for what it does here.
      "optimizer": {
        # At the end of the warm-up.
        "learning_rate": 1.5e-3,
        # Steps over which the rate rises.
        "warmup": 100,
        # On matrices alone.
        "weight_decay": 0.1,
        # Decay of the first moment.
        "b1": 0.9,
        # Decay of the second moment.
        "b2": 0.95,
      },
      # Rate, in training.
      "dropout": 0.0,
      # How long to train.
      "schedule": {
        # Of the whole training.
        "steps": 2400,
        # Steps between lines of metrics.
        "log_every": 20,
        # Steps between validations, each followed by a checkpoint.
        "validate_every": 200,
        # Validations without a new best loss before training stops.
        "patience": 2,
        # The paper's choice: somewhat after validation, off-policy, turns.
        "past_best": True,
      },
    }
  )
