"""Builds what a revision model learns from: wrong answers, then a right one.

  python -m launch.build_revisions --out runs/revisions
  python -m launch.build_revisions --out runs/revisions_held_out \
      --config.questions.split=validation --config.questions.count=200

With --config.source=FOLDER, of a run of launch.revise, a model's own chains up
to their last right answer are the trajectories; with --config.natural=0 too, as
many of each length up to their first one (ReST^EM).

Killed and started again with the same --out it goes on; trajectories.json says
what the samples offered. In a notebook:
`tts_jax.store.trajectories.load_trajectories(folder)`.
"""

import functools
import json

from launch import (
  assembling,
  entry,
  forecasts,
  outlook,
  pooling,
  shared_run,
)
from tts_jax import storage
from tts_jax.store import chains, labels
from tts_jax.store import trajectories as store

_CONFIG = entry.config_flag("configs/build_revisions.py")
_OUT = outlook.out_flag("runs/revisions", "Folder of the run.")


def main(_: list[str]) -> None:
  """Samples and builds what the folder lacks."""
  config, out = _CONFIG.value, _OUT.value
  source = storage.at(config.source or out)
  own = bool(config.source) and (source / chains.STAGE).is_dir()
  parts = [outlook.Part("trajectories", f"of the chains of {source}")]
  if not own:
    questions = len(pooling.find_training(config)[1])
    parts = [forecasts.samples(config, out, questions)] * (not config.source)
    parts.append(outlook.Part("trajectories", f"of {questions} questions"))
  outlook.begin(out, *parts, config=config)
  with shared_run.opened(out, config.to_dict()) as folder:
    if config.source:
      find = functools.partial(labels.content_hash, source)
      shared_run.same(f"{source}: its samples", find)
    else:
      source = folder.path
    build = assembling.from_chains if own else assembling.from_pool
    summary = build(folder, config, source)
    folder.write_json(store.SUMMARY, summary)
  print(json.dumps(summary, indent=2))


if __name__ == "__main__":
  entry.run(main, hosts=True)
