"""Labels the steps of a model's own solutions by Monte Carlo rollouts.

  python -m launch.label_steps --out runs/labels --config.questions.count=5000

Killed and started again with the same --out it goes on; labels.json says what
the labels cost. In a notebook: `tts_jax.store.labels.load_labels(folder)`.
"""

import dataclasses
import json
import time

import tqdm
from absl import flags

from launch import entry, generation, pooling
from tts_jax.decode import pools
from tts_jax.store import labels as labels_lib
from tts_jax.store import pool, run, shards
from tts_jax.verify import label_costs, labels, rollouts, saved

_CONFIG = entry.config_flag("configs/label_steps.py")
_OUT = flags.DEFINE_string("out", "runs/labels", "Folder of the run.")


def main(_: list[str]) -> None:
  """Samples and labels what the folder lacks, and says what it cost."""
  config = _CONFIG.value
  most = config.limits
  plan = rollouts.Rollouts(
    config.rollouts, most.max_tokens, config.engine.branches
  )
  task, questions = pooling.find_training(config)
  with run.Run.open(_OUT.value, config.to_dict()) as folder:
    model = generation.load_generator(config, task)
    pooling.sample_pool(folder, config, task, questions, model)
    sample = generation.engine(
      model,
      config,
      samples=max(plan.count, 1),  # With 0, no request is made.
      prompt_tokens=plan.longest(most.prompt_tokens),
      room=plan.room,
    )
    drawn = shards.read(folder.path / pool.STAGE, labels.POOL_COLUMNS)
    stage = labels.open_stage(folder, questions, model.folder)
    print(f"{stage.folder}: {stage.report}", flush=True)
    size, start = len(questions), time.monotonic()
    kept = size - len(pools.missing(stage, questions, config.engine.batch))
    with tqdm.tqdm(total=size, initial=kept, unit="question") as bar:
      for progress in labels.fill(
        stage,
        questions,
        drawn,
        sample,
        task,
        model.tokenizer,
        plan,
        config.engine.batch,
      ):
        rate = progress.stats.generated / (time.monotonic() - start)
        bar.set_postfix_str(f"{rate:,.0f} tokens/s", refresh=False)
        bar.update(size - progress.left - bar.n)
    costs = label_costs.summarise(stage.read())
    costs["origin"] = dataclasses.asdict(saved.origin(model.folder))
    folder.write_json(labels_lib.SUMMARY, costs)
  print(json.dumps(costs, indent=2))


if __name__ == "__main__":
  entry.run(main)
