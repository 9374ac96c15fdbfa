"""What the configs of published models and verifiers share: MATH-500, searched.

Each names a model and a process reward model, two folders below models/, and
the smallest machine that holds both; `launch.memory` says what they take. With
the hub's own client:

  hf download Qwen/Qwen2.5-Math-1.5B-Instruct \
      --local-dir models/Qwen2.5-Math-1.5B-Instruct
  hf download HuggingFaceH4/MATH-500 test.jsonl --repo-type dataset \
      --local-dir data/math500

Folders that are there already are given by --config.model, --config.verifier
and --config.questions.path; nothing is fetched.
"""

import math

import ml_collections

from configs import math500

SYSTEM = (
  "Reason step by step, with an empty line between steps, and put your final"
  r" answer within \boxed{}."
)


def pair(
  model: str,
  verifier: str,
  format: str,
  slice: str,
  *,
  rows: int = 64,
  verifier_tokens: int = 2560,
) -> ml_collections.ConfigDict:
  """Search of MATH-500 by a model that is asked in its chat template.

  Args:
    model: name of its folder below models/.
    verifier: as `model`.
    format: of the verifier, as `config.prm.format`.
    slice: of TPUs, over whose chips heads and hidden units of both are split.
    rows: at a time; the largest budget.
    verifier_tokens: room for a solution in the verifier's tokens.
  """
  config = math500.get_config()
  config.model, config.verifier = f"models/{model}", f"models/{verifier}"
  config.dtype = config.prm.dtype = "bfloat16"
  config.slice = slice
  config.mesh.model = math.prod(map(int, slice.partition(":")[2].split("x")))
  config.prm.format = format
  config.prm.prompt_tokens, config.prm.row_tokens = 1024, verifier_tokens
  config.prompt.format, config.prompt.system = "chat", SYSTEM
  config.prompt.delimiter = "\n\n"
  config.engine.groups, config.engine.rows = max(1, rows // 16), 16
  config.search.rows = rows
  config.samples = rows
  config.search.budgets = tuple(n for n in (1, 4, 16, 64, 256) if n <= rows)
  return config
