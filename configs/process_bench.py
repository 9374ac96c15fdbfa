"""A verifier measured by the first wrong steps that people have marked.

With a published verifier, and the files of huggingface.co/Qwen/ProcessBench:

  python -m launch.process_bench --out runs/process_bench \
      --config.files="('gsm8k.json','math.json')" \
      --config.verifier=Qwen2.5-Math-PRM-7B --config.prm.format=qwen_math

Where the benchmark's own code takes the likelier of right and wrong, that is
--config.threshold=0.5.
"""

import ml_collections

from configs import reproduce

_KEPT = (
  *("task", "model", "dtype", "mesh", "verifier"),
  *("prompt", "seed", "limits"),
)


def get_config() -> ml_collections.ConfigDict:
  """The package's verifier, on files that are to be named."""
  base = reproduce.get_config()
  config = ml_collections.ConfigDict({key: base[key] for key in _KEPT})
  # A JSON array of objects each, or one object a line; a file's name without
  # its ending names its figures.
  config.files = ("",)
  # The name of the file whose solutions choose the threshold for the others;
  # empty: the first. It is itself measured by halves that choose for each
  # other, and so is a file that is alone.
  config.choosing = ""
  # Above 0: the threshold, of which none is chosen then.
  config.threshold = 0.0
  # As in configs/reproduce.py. With a format, `task`, `model`, `dtype`,
  # `prompt`, `limits` and `scoring.length` are of no account.
  config.prm = {"format": "", "dtype": ""}
  # Solutions a pass of a published verifier; of others, rows of so many tokens.
  config.scoring = {"rows": 8, "length": 768}
  # Solutions a shard.
  config.batch = 40
  return config
