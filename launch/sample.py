"""Draws a pool: many samples of each question, graded, as Parquet shards.

  python -m launch.sample --out runs/pool --config.samples=64
  python -m launch.sample --out runs/stories --config.model=FOLDER \
      --config.task=jsonl --config.questions.path=FILE

Killed and started again with the same --out it goes on where it was. In a
notebook: `tts_jax.store.pool.load_pool("runs/pool")`.
"""

from absl import flags

from launch import entry, generation, pooling, shared_run

_CONFIG = entry.config_flag("configs/subset.py")
_OUT = flags.DEFINE_string("out", "runs/pool", "Folder of the run.")


def main(_: list[str]) -> None:
  """Samples what the folder lacks."""
  config = _CONFIG.value
  task, questions = pooling.find_questions(config)
  model = generation.load_generator(config, task)
  with shared_run.opened(_OUT.value, config.to_dict()) as folder:
    total = pooling.sample_pool(folder, config, task, questions, model)
  print(
    f"{total.stats.generated:,} tokens in {total.seconds:.0f} s, rows "
    f"{total.stats.utilisation:.1%} busy: {_OUT.value}"
  )


if __name__ == "__main__":
  entry.run(main, hosts=True)
