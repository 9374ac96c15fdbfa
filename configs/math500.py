"""MATH-500, the paper's test questions, by any model and verifier.

  hf download HuggingFaceH4/MATH-500 test.jsonl --repo-type dataset \
      --local-dir data/math500
  python -m launch.search --config=configs/math500.py --out runs/math500 \
      --config.model=FOLDER --config.verifier=FOLDER --config.prm.format=FORMAT

For one chip of any kind and a model that fits it; the configs of pairs, such as
configs/qwen25_math_1b5_skywork_1b5.py, name their machine.
"""

import ml_collections

from configs import search


def get_config() -> ml_collections.ConfigDict:
  """All questions; levels and subjects are told apart."""
  config = search.get_config()
  config.task = "jsonl"
  config.questions.path = "data/math500/test.jsonl"
  config.questions.question = "problem"
  config.questions.id = "unique_id"
  config.limits.prompt_tokens, config.limits.max_tokens = 1024, 2048
  # Searches that revise take a revision model of the same family.
  config.search.methods = ("beam_sqrt", "beam_4", "dvts", "lookahead_1")
  config.search.seeds = 1
  return config
