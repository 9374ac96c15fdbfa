"""The embedded verifier: a head on the embedded model's frozen states.

  python -m launch.train_verifier --out runs/verifier

A head for a pod slice differs in `data.rows` alone.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """Sizes for a host with two CPU cores; see the verifier's card."""
  return ml_collections.ConfigDict(
    {
      "task": "gsm_symbolic",
      # A Hugging Face folder; empty is the model of the package.
      "model": "",
      # Runs of launch.label_steps, of different questions.
      "labels": "runs/labels",
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
      "seed": 0,
      # Of the worked solutions' questions.
      "worked_seed": 2,
      "head": {
        "layers": 3,
        "width": 128,
        "token_width": 64,
        "mlp_width": 128,
        # Predict each token too, and read how surprising it is to the head.
        "predicts": True,
        # Branch off below this block of the model, with the blocks above for a
        # start; the model's number of blocks reads its final states.
        "tap": 2,
        "dropout": 0.0,
        # True: read a second backbone, trained, not the generator's states.
        "separate": False,
      },
      "objective": {
        # Above 0: the generator is trained too, by its own loss beside.
        "language_weight": 0.0,
        "opinion_weight": 1.0,
      },
      "mixture": {
        # Labelled and worked solutions of an item.
        "samples": 2,
        "worked": 8,
        # True: an outcome reward model, labelled at the last step alone.
        "final_only": False,
      },
      "data": {"rows": 12, "length": 512},
      # The paper has 3e-5, batches of 128 and dropout 0.05 for a backbone of
      # billions of parameters; b1 and b2 are its own.
      "optimizer": {
        "learning_rate": 2e-3,
        "warmup": 100,
        "weight_decay": 0.1,
        "b1": 0.9,
        "b2": 0.95,
      },
      "schedule": {
        "steps": 9000,
        "log_every": 20,
        "validate_every": 1000,
        "patience": 4,
      },
    }
  )
