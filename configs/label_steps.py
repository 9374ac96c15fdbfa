"""Labels to train a verifier on: the paper's 16 samples and 16 rollouts.

  python -m launch.label_steps --out runs/labels

Makes new questions, so it needs reasoning-gym: `pip install -e '.[data]'`.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """Sizes for a host with two CPU cores."""
  return ml_collections.ConfigDict(
    {
      # "gsm_symbolic", "arithmetic", or "jsonl" with `questions.path`.
      "task": "gsm_symbolic",
      # A Hugging Face folder; empty is the model of the package.
      "model": "",
      "questions": {
        # "train" or "validation"; a file is taken for what it is.
        "split": "train",
        "count": 1000,
        # For "jsonl" alone: the file, and the names of its fields.
        "path": "",
        "question": "question",
        "answer": "answer",
      },
      "samples": 16,
      # From the end of each step; with 0, labels are from the samples alone.
      "rollouts": 16,
      # Of the questions too. The model's own training questions were drawn by
      # 0; on those it is better than a verifier will find it.
      "seed": 1,
      "sampler": {"temperature": 1.0, "top_p": 1.0},
      "limits": {"prompt_tokens": 128, "max_tokens": 128},
      "engine": {
        "groups": 16,
        "rows": 16,
        "steps": 64,
        "batch": 10,
        # Prefixes of a solution that are rolled out in one pass at most.
        "branches": 16,
      },
    }
  )
