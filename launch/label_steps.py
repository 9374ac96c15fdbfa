"""Labels the steps of a model's own solutions by Monte Carlo rollouts.

  python -m launch.label_steps --out runs/labels --config.questions.count=5000

Killed and started again with the same --out it goes on; labels.json says what
the labels cost. In a notebook: `tts_jax.store.labels.load_labels(folder)`.
"""

import dataclasses
import json

from launch import (
  entry,
  forecasts,
  generation,
  labelling,
  outlook,
  pooling,
  shared_run,
)
from tts_jax.store import labels as labels_lib
from tts_jax.verify import label_costs, saved

_CONFIG = entry.config_flag("configs/label_steps.py")
_OUT = outlook.out_flag("runs/labels", "Folder of the run.")


def main(_: list[str]) -> None:
  """Samples and labels what the folder lacks, and says what it cost."""
  config, out = _CONFIG.value, _OUT.value
  labelling.plan(config)  # Refuses what is out of range before it samples.
  task, questions = pooling.find_training(config)
  given = config, out, len(questions)
  parts = [forecasts.samples(*given), forecasts.rollouts(*given)]
  outlook.begin(out, *parts, config=config)
  with shared_run.opened(out, config.to_dict()) as folder:
    model = generation.load_generator(config, task)
    loaded = config, task, questions, model
    pooling.sample_pool(folder, *loaded)
    stage = labelling.label_pool(folder, *loaded)
    costs = label_costs.summarise(stage.read())
    costs["origin"] = dataclasses.asdict(saved.origin(model.folder))
    folder.write_json(labels_lib.SUMMARY, costs)
  print(json.dumps(costs, indent=2))


if __name__ == "__main__":
  entry.run(main, hosts=True)
