"""Samples that Qwen2.5-Math's evaluation wrote, measured without a model.

  python -m launch.replay --config=configs/replay_qwen_math.py \
      --config.file=test_qwen25-math-cot_-1_seed0_t0.7_s0_e-1.jsonl

Made by its `math_eval.py` with --n_sampling N and --save_outputs. Answers and
verdicts are its own: `pred` votes as it stands, as in its maj@k, and `score` is
not graded again.
"""

import ml_collections

from configs import replay


def get_config() -> ml_collections.ConfigDict:
  """The names of its fields; `answer`, where it is there, is the data set's."""
  config = replay.get_config()
  config.fields = {
    "question": "question",
    "answer": "gt",
    "completions": "code",
    "id": "idx",
    "scores": "",
    "verdicts": "score",
    "stated": "pred",
    "finished": "",
  }
  return config
