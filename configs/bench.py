"""What is timed: sections of `launch.bench`, on two CPU cores.

  python -m launch.bench --out runs/bench
  python -m launch.bench --config.sections="('search','revisions')"
  python -m launch.bench --config.sections=pool --config.pool.questions=40

For the machine at hand; `model` takes any shape, `rows` any numbers.
"""

import ml_collections

from configs import reproduce, train_verifier


def get_config() -> ml_collections.ConfigDict:
  """Minutes on two cores, which are said at the start."""
  config = ml_collections.ConfigDict(
    {
      # What is timed; each line below says of which section it is.
      "sections": (
        "decode",
        "prefill",
        "search",
        "revisions",
        "labels",
        "pool",
        "precisions",
        "grading",
        "estimates",
        "train",
      ),
      # Of products: of decoding and of races, each in turn.
      "dtypes": ("float32", "bfloat16"),
      # Of random weights.
      "model": {
        # Blocks.
        "layers": 8,
        # Of the residual stream.
        "width": 512,
        # Of queries, a multiple of `kv_heads`.
        "heads": 8,
        # Of keys and values.
        "kv_heads": 2,
        # Of each head; even.
        "head_width": 64,
        # The inner width of the feed-forward layer.
        "mlp_width": 896,
        # Tokens that it knows.
        "vocabulary": 32000,
        # A prompt and its completion fit in so many tokens.
        "max_positions": 2048,
        # The output matrix is the embedding.
        "tied": True,
        # Of products, in the other sections: "float32" or "bfloat16".
        "dtype": "float32",
        # In which kernels are held: "int8", or empty: as `dtype`.
        "weight_dtype": "",
        # In which keys and values are held: "int8", or empty: as attention.
        "cache_dtype": "",
      },
      # Questions, rows of each, tokens of a prompt.
      "decode": (
        (1, 1, 128),
        (1, 8, 128),
        (1, 16, 128),
        (2, 16, 128),
        (4, 16, 128),
        (8, 16, 128),
        (1, 32, 128),
        (1, 64, 128),
        (1, 128, 128),
        (1, 256, 128),
        (1, 32, 1024),
      ),
      # Tokens of each sample.
      "tokens": 128,
      # Questions, tokens of a prompt.
      "prefill": ((1, 32), (1, 128), (1, 512), (1, 1024), (1, 1920), (8, 128)),
      # Models, questions and sizes of all sections but decode, prefill, grading
      # and estimates.
      "experiment": reproduce.get_config(),
      # Of the section of this name, as the groups below.
      "search": {
        # Rows of a question, in every method.
        "candidates": 16,
        # Blocks of heads that are timed in the verifier's place.
        "heads": (0, 1),
      },
      # Chains of the revision model.
      "revisions": {
        # Chains of a question, answers of each.
        "chains": ((4, 4), (1, 16)),
      },
      # Monte Carlo labels of steps.
      "labels": {
        # How many.
        "questions": 4,
        # Of each question, to be labelled.
        "samples": 4,
        # From the end of each step.
        "rollouts": 16,
        # Prefixes of a solution that are rolled out in one pass at most.
        "branches": 16,
      },
      # Questions, in an engine of `experiment.engine`.
      "pool": {
        # How many.
        "questions": 500,
        # Of each question.
        "samples": 64,
      },
      # Samples of a model in other numbers.
      "precisions": {
        # As `dtype` and `int8` of an experiment.
        "ways": (("float32", ""), ("bfloat16", ""), ("float32", "both")),
        # How many.
        "questions": 500,
        # Of each question.
        "samples": 16,
      },
      # Of a turn.
      "grading": {
        # Pairs of answers that their forms settle.
        "forms": 5000,
        # Pairs that take algebra.
        "algebra": 1000,
      },
      # Of a pool that is made up.
      "estimates": {
        # How many.
        "questions": 500,
        # Of each question.
        "samples": 2048,
      },
      # Steps of training.
      "train": {
        # Of each turn.
        "steps": 2,
        # As configs/train_gsm_symbolic.py has them.
        "language_model": {
          # Of a batch.
          "rows": 32,
          # Tokens of a row.
          "length": 224,
          # Parts in which a batch is read.
          "microbatches": 2,
        },
        # As it is trained; and jointly, by other weights of its losses.
        "verifier": train_verifier.get_config(),
      },
      # Races beside other programs.
      "peers": {
        # As `decode`.
        "shapes": ((1, 1, 128), (1, 32, 128), (4, 32, 128)),
        # Of transformers: see `launch.peers`; "continuous" at one length alone.
        "ways": ("dynamic", "static", "repeated"),
        # Which of samples' lengths: "fixed", "spread" as answers' are.
        "lengths": ("fixed", "spread"),
        # Of each question so many samples a row, where lengths are spread.
        "samples": 4,
      },
      # Of each figure, whose median is told.
      "repeats": 3,
      # Of all that is drawn.
      "seed": 0,
    }
  )
  # A multiple of this has a question's samples, and few rows wait for the last
  # of them: 96% are busy where of 16 rows 94% are.
  config.experiment.engine.rows = 8
  # Those that searches, chains and training read.
  config.experiment.questions.count = 8
  # The searches that are timed.
  config.experiment.search.methods = (
    "best_of_n",
    "beam_sqrt",
    "beam_4",
    "dvts",
    "lookahead_1",
    "lookahead_3",
  )
  # As many as one question has, which is then alone.
  config.experiment.search.rows = 16
  verifier = config.train.verifier
  # No labels are read: worked solutions stand for them.
  del verifier.labels, verifier.held_out, verifier.worked_seed
  del verifier.task, verifier.model, verifier.start, verifier.backbone
  del verifier.optimizer, verifier.schedule, verifier.seed
  verifier.history = False
  return config
