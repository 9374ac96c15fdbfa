"""Draws a pool: many samples of each question, graded, as Parquet shards.

  python -m launch.sample --out runs/pool --config.samples=64
  python -m launch.sample --out runs/stories --config.model=FOLDER \
      --config.task=jsonl --config.questions.path=FILE

Killed and started again with the same --out it goes on where it was. In a
notebook: `tts_jax.store.pool.load_pool("runs/pool")`.
"""

from launch import (
  entry,
  forecasts,
  generation,
  outlook,
  pooling,
  shared_run,
)

_CONFIG = entry.config_flag("configs/subset.py")
_OUT = outlook.out_flag("runs/pool", "Folder of the run.")


def main(_: list[str]) -> None:
  """Samples what the folder lacks."""
  config, out = _CONFIG.value, _OUT.value
  task, questions = pooling.find_questions(config)
  parts = [forecasts.samples(config, out, len(questions))]
  outlook.begin(out, *parts, config=config)
  model = generation.load_generator(config, task)
  with shared_run.opened(out, config.to_dict()) as folder:
    total = pooling.sample_pool(folder, config, task, questions, model)
  print(
    f"{total.stats.generated:,} tokens in {total.seconds:.0f} s, rows "
    f"{total.stats.utilisation:.1%} busy: {out}"
  )


if __name__ == "__main__":
  entry.run(main, hosts=True)
