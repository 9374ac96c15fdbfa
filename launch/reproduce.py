"""The main job: the embedded model answers questions it has never seen.

  python -m launch.reproduce
  python -m launch.reproduce --full
  python -m launch.reproduce --from_scratch

Samples a pool, scores it, searches against the verifier, then writes
summary.json, report.html, which needs nothing but a browser, and trees.html.
--from_scratch first trains all that the package ships, and takes that. Killed
and started again with the same --out it goes on.
"""

import pathlib

from absl import flags

from launch import entry, experiment, scratch

_CONFIG = entry.config_flag("configs/reproduce.py")
_OUT = flags.DEFINE_string(
  "out",
  None,
  "Folder of the run; by default runs/reproduce, runs/full or runs/scratch.",
)
_FULL = flags.DEFINE_bool(
  "full", False, "Take all questions at 256 samples, not the config's subset."
)
_FROM_SCRATCH = flags.DEFINE_bool(
  "from_scratch", False, "Train the models, in the run's folder training/, too."
)


def main(_: list[str]) -> None:
  """The whole experiment."""
  config = _CONFIG.value
  default = "runs/full" if _FULL.value else "runs/reproduce"
  out = _OUT.value or ("runs/scratch" if _FROM_SCRATCH.value else default)
  if _FULL.value:
    config.questions.count, config.samples = 0, 256
  if _FROM_SCRATCH.value:
    experiment.check(config)  # Before hours of training, not after.
    training = pathlib.Path(out) / "training"
    scratch.perform(training)
    scratch.settle(config, training)
  experiment.perform(config, out)


if __name__ == "__main__":
  entry.run(main)
