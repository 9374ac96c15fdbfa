"""Samples that somebody else made, measured without a model.

  python -m launch.replay --config.file=FILE --out runs/replay

For any host: no accelerator is needed. The fields are those that
search-and-learn writes; of Qwen2.5-Math's evaluation:

  python -m launch.replay --config.file=FILE --config.fields.question=question \
      --config.fields.answer=gt --config.fields.completions=code \
      --config.fields.scores= --config.fields.verdicts=score
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """A file of search-and-learn's, every sample of it."""
  return ml_collections.ConfigDict(
    {
      # JSON lines.
      "file": "",
      # Their names; an empty one is not there.
      "fields": {
        "question": "problem",
        "answer": "answer",
        # Empty: a digest of the question's text.
        "id": "",
        # A list of texts.
        "completions": "completions",
        # For each of them the scores of its steps, or one score.
        "scores": "scores",
        # For each of them true or false; empty: answers are graded.
        "verdicts": "",
      },
      # Who reads answers and grades them: "jsonl", or a task.
      "task": "jsonl",
      # Of each question, the first; 0 takes all.
      "samples": 0,
      # "last", "least" or "product": a solution's score from its steps'.
      "aggregation": "last",
      "seed": 0,
      # Questions a shard.
      "batch": 10,
    }
  )
