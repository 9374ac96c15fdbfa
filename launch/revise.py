"""Runs chains of revisions: a model that mends its own answers.

  python -m launch.revise --out runs/revise --config.model=runs/revision/model
  python -m launch.revise --out runs/chains --config.questions.split=train \
      --config.questions.count=1000 --config.chains=4 --config.length=5

Killed and started again with the same --out it goes on where it was. In a
notebook: `tts_jax.store.chains.load_chains("runs/revise")`.
"""

import dataclasses

from launch import (
  chaining,
  entry,
  outlook,
  pooling,
  revising,
  search_forecasts,
  shared_run,
)
from tts_jax.store import chains
from tts_jax.verify import saved

_CONFIG = entry.config_flag("configs/revise.py")
_OUT = outlook.out_flag("runs/revise", "Folder of the run.")


def main(_: list[str]) -> None:
  """Runs what the folder lacks, and says how right each turn is."""
  config, out = _CONFIG.value, _OUT.value
  plan = revising.plan(config, (config.length,) * config.chains)
  test = config.questions.split == "test"
  find = pooling.find_questions if test else pooling.find_training
  task, questions = find(config)
  size = len(questions), plan.answers
  parts = [search_forecasts.revising(config, out, *size, config.model)]
  outlook.begin(out, *parts, config=config)
  with shared_run.opened(out, config.to_dict()) as folder:
    model = revising.load_reviser(config, task, config.model, "config.model")
    chaining.run_chains(folder, config, task, questions, model, plan)
    origin = dataclasses.asdict(saved.origin(model.folder))
    folder.write_json(chains.SUMMARY, {"origin": origin})
    found = chains.load_chains(folder.path)
  for turn in range(min(8, max(plan.lengths))):
    right = found.prefixes(found.answers.correct, turn + 1)[..., turn]
    print(f"answer {turn + 1} of a chain: {right.mean():.3f} right")


if __name__ == "__main__":
  entry.run(main, hosts=True)
