"""GSM8K's test questions behind four solved ones, as the paper prompts.

  hf download openai/gsm8k --repo-type dataset --local-dir data/gsm8k
  python -m launch.sample --config=configs/gsm8k.py --out runs/gsm8k \
      --config.model=FOLDER

The files are JSON lines, as github.com/openai/grade-school-math publishes them.
For one chip of any kind and a model that fits it.
"""

import ml_collections

from configs import math500


def get_config() -> ml_collections.ConfigDict:
  """All questions; the answer is what stands behind #### in the solution."""
  config = math500.get_config()
  config.questions.path = "data/gsm8k/test.jsonl"
  config.questions.question = "question"
  config.questions.answer, config.questions.solution = "", "answer"
  config.questions.id = ""
  config.prompt.format = "few_shot"
  config.prompt.examples = "data/gsm8k/train.jsonl"
  config.prompt.solution = "answer"
  config.limits.prompt_tokens, config.limits.max_tokens = 1536, 512
  return config
