"""Builds what a revision model learns from: wrong answers, then a right one.

  python -m launch.build_revisions --out runs/revisions
  python -m launch.build_revisions --out runs/revisions_held_out \
      --config.questions.split=validation --config.questions.count=200

Killed and started again with the same --out it goes on; trajectories.json says
what the samples offered. In a notebook:
`tts_jax.store.trajectories.load_trajectories(folder)`.
"""

import dataclasses
import json
import pathlib

import tqdm
from absl import flags

from launch import entry, generation, pooling
from tts_jax.decode import pools
from tts_jax.revise import trajectories
from tts_jax.store import pool, run, shards
from tts_jax.store import trajectories as store
from tts_jax.tasks import selection, training
from tts_jax.verify import saved

_CONFIG = entry.config_flag("configs/build_revisions.py")
_OUT = flags.DEFINE_string("out", "runs/revisions", "Folder of the run.")


def main(_: list[str]) -> None:
  """Samples and builds what the folder lacks."""
  config = _CONFIG.value
  wanted = config.questions
  if config.task == selection.FILE_TASK:
    task, questions = pooling.find_questions(config)
  else:
    task, questions = training.draw(
      config.task, split=wanted.split, count=wanted.count, seed=config.seed
    )
  with run.Run.open(_OUT.value, config.to_dict()) as folder:
    model = generation.load_generator(config, task)
    if not config.source:
      pooling.sample_pool(folder, config, task, questions, model)
    source = pathlib.Path(config.source or folder.path)
    stage = trajectories.open_stage(folder, source)
    print(f"{stage.folder}: {stage.report}", flush=True)
    drawn = shards.read(source / pool.STAGE, trajectories.POOL_COLUMNS)
    size, batch, most = len(questions), config.engine.batch, config.most
    kept = size - len(pools.missing(stage, questions, batch))
    built = trajectories.fill(
      stage,
      questions,
      drawn,
      task,
      model.tokenizer,
      batch=batch,
      seed=config.seed,
      most=most,
      natural=config.natural,
    )
    with tqdm.tqdm(total=size, initial=kept, unit="question") as bar:
      for left in built:
        bar.update(size - left - bar.n)
    found = trajectories.count(trajectories.by_question(drawn), most)
    origin = dataclasses.asdict(saved.origin(model.folder))
    summary = {**found, "origin": origin}
    folder.write_json(store.SUMMARY, summary)
  print(json.dumps(summary, indent=2))


if __name__ == "__main__":
  entry.run(main)
