"""Questions of one's own, answered with a budget by the embedded model.

  python -m launch.solve --budget 16 --question "..."

For a host with two CPU cores; a pod slice takes more groups and rows.
"""

import ml_collections

from configs import reproduce

_KEPT = (
  *("task", "model", "dtype", "mesh", "verifier", "prm", "difficulty"),
  *("prompt", "seed", "sampler", "limits", "engine"),
)


def get_config() -> ml_collections.ConfigDict:
  """The settings of the main job, as far as answering has them."""
  base = reproduce.get_config()
  config = ml_collections.ConfigDict({key: base[key] for key in _KEPT})
  # The names of a file's fields; a line need not have an answer.
  config.questions = {"question": "question", "answer": "answer"}
  config.scoring = base.scoring
  config.search = {
    key: base.search[key] for key in ("step_tokens", "rows", "steps")
  }
  config.revision = {
    key: base.revision[key]
    for key in ("model", "verifier", "window", "context_tokens", "rebuilt")
  }
  return config
