"""Samples that somebody else made, measured without a model.

  python -m launch.replay --config.file=FILE --out runs/replay

For any host: no accelerator is needed. The fields are those that
search-and-learn and `launch.export_samples` write; for those of Qwen2.5-Math's
evaluation give --config=configs/replay_qwen_math.py.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """A file of search-and-learn's, every sample of it."""
  return ml_collections.ConfigDict(
    {
      # JSON lines.
      "file": "",
      # The names of its fields; an empty one is not there, and one that ends in
      # "?" is there if the first line has it.
      "fields": {
        # The question's text.
        "question": "problem",
        # The right answer.
        "answer": "answer",
        # A list of texts.
        "completions": "completions",
        # Where it lacks: a digest of the question's text.
        "id": "id?",
        # For each completion the scores of its steps, or one score.
        "scores": "scores?",
        # For each true or false, null where nobody can tell; where they lack,
        # answers are graded.
        "verdicts": "verdicts?",
        # For each the answer that it states; equal ones vote together as they
        # stand. Where they lack, answers are read out of the texts.
        "stated": "preds?",
        # For each whether it came to its end.
        "finished": "finished?",
      },
      # Who reads answers and grades them: "jsonl", or a task.
      "task": "jsonl",
      # Of each question, the first; 0 takes all.
      "samples": 0,
      # "last", "least" or "product": a solution's score from its steps'.
      "aggregation": "last",
      # Of all that is drawn.
      "seed": 0,
      # Questions a shard.
      "batch": 10,
    }
  )
