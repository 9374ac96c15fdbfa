"""The embedded verifier: a head on the embedded model's frozen states.

  python -m launch.train_verifier --out runs/verifier

A head for a pod slice differs in `data.rows` alone.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """Sizes for a host with two CPU cores; see the verifier's card."""
  return ml_collections.ConfigDict(
    {
      # "gsm_symbolic", "arithmetic" or "jsonl".
      "task": "gsm_symbolic",
      # A Hugging Face folder; empty is the model of the package.
      "model": "",
      # A run of launch.label_steps.
      "labels": "runs/labels",
      # As `labels`, of other questions: for validation.
      "held_out": "runs/labels_held_out",
      # Of labels that are chains of revisions (launch.revise): read each answer
      # behind those that it revises.
      "history": True,
      # A verifier's folder, whose head is the start; empty draws one.
      "start": "",
      # Of a verifier with a backbone of its own: the model whose lower blocks
      # that starts from, a Hugging Face folder; empty is that of `start`, or
      # else `model`.
      "backbone": "",
      # Of all that is drawn.
      "seed": 0,
      # Of the worked solutions' questions.
      "worked_seed": 2,
      # Its shape.
      "head": {
        # Blocks.
        "layers": 3,
        # Of its stream.
        "width": 128,
        # Of its embedding of tokens.
        "token_width": 64,
        # The inner width of its feed-forward layers.
        "mlp_width": 128,
        # Predict each token too, and read how surprising it is to the head.
        "predicts": True,
        # Branch off below this block of the model, with the blocks above for a
        # start; the model's number of blocks reads its final states.
        "tap": 2,
        # Rate, in training.
        "dropout": 0.0,
        # True: read a second backbone, trained, not the generator's states.
        "separate": False,
      },
      # What training makes small, beside the loss on labels.
      "objective": {
        # Above 0: the generator is trained too, by its own loss beside.
        "language_weight": 0.0,
        # Of the head's own predictions of tokens.
        "opinion_weight": 1.0,
      },
      # Of what an item of training is made.
      "mixture": {
        # Labelled solutions.
        "samples": 2,
        # Worked solutions.
        "worked": 8,
        # True: an outcome reward model, labelled at the last step alone.
        "final_only": False,
      },
      # What a step reads.
      "data": {"rows": 12, "length": 512},
      # The paper has 3e-5, batches of 128 and dropout 0.05 for a backbone of
      # billions of parameters; b1 and b2 are its own.
      "optimizer": {
        # At the end of the warm-up.
        "learning_rate": 2e-3,
        # Steps over which the rate rises.
        "warmup": 100,
        # On matrices alone.
        "weight_decay": 0.1,
        # Decay of the first moment.
        "b1": 0.9,
        # Decay of the second moment.
        "b2": 0.95,
      },
      # How long to train.
      "schedule": {
        # Of the whole training.
        "steps": 9000,
        # Steps between lines of metrics.
        "log_every": 20,
        # Steps between validations, each followed by a checkpoint.
        "validate_every": 1000,
        # Validations without a new best loss before training stops.
        "patience": 4,
      },
    }
  )
