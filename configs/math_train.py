"""Labels of steps on MATH's 12,000 training questions, a tenth held out.

  python -m launch.label_steps --config=configs/math_train.py \
      --out runs/math_labels --config.model=FOLDER
  python -m launch.label_steps --config=configs/math_train.py \
      --out runs/math_labels_held_out --config.model=FOLDER \
      --config.questions.split=validation

The file is math_splits/train.jsonl of github.com/openai/prm800k; its test.jsonl
beside it is MATH-500. As the paper, 16 samples a question and 16 rollouts a
step, and a tenth of the questions to validate on. For one chip of any kind and
a model that fits it.
"""

import ml_collections

from configs import label_steps


def get_config() -> ml_collections.ConfigDict:
  """Nine tenths of the questions; none of them is in MATH-500."""
  config = label_steps.get_config()
  config.task = "jsonl"
  config.questions.path = "data/math/train.jsonl"
  config.questions.question = "problem"
  config.questions.id = "unique_id"
  config.questions.held_out = 0.1
  config.questions.count = 0
  config.prompt.delimiter = "\n\n"
  config.limits.prompt_tokens, config.limits.max_tokens = 1024, 1024
  return config
