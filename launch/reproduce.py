"""The main job: the embedded model answers questions it has never seen.

  python -m launch.reproduce
  python -m launch.reproduce --full

Samples a pool, scores it, searches against the verifier, then writes
summary.json, report.html, which needs nothing but a browser, and trees.html.
Killed and started again with the same --out it goes on.
"""

from absl import flags

from launch import entry, experiment

_CONFIG = entry.config_flag("configs/reproduce.py")
_OUT = flags.DEFINE_string(
  "out", None, "Folder of the run; by default runs/reproduce, or runs/full."
)
_FULL = flags.DEFINE_bool(
  "full", False, "Take all questions at 256 samples, not the config's subset."
)


def main(_: list[str]) -> None:
  """The whole experiment."""
  config = _CONFIG.value
  if _FULL.value:
    config.questions.count, config.samples = 0, 256
  default = "runs/full" if _FULL.value else "runs/reproduce"
  experiment.perform(config, _OUT.value or default)


if __name__ == "__main__":
  entry.run(main)
