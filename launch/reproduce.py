"""The main job: the embedded model answers questions it has never seen.

  python -m launch.reproduce
  python -m launch.reproduce --full
  python -m launch.reproduce --from_scratch

All samples of all questions, their scores, searches against the verifier and
chains of revisions; then summary.json, report.html, which needs nothing but a
browser, trees.html, chains.html and policy.json. Most of what is drawn ships in
the package: without flags only the smallest searches are drawn, and all is
measured. --full draws everything anew, --from_scratch first trains all that the
package ships and takes that. Killed and started again with the same --out it
goes on.
"""

from absl import flags

from launch import (
  entry,
  estimating,
  experiment,
  outlook,
  scratch,
  shipping,
)
from tts_jax import errors, storage
from tts_jax.store import packed

_CONFIG = entry.config_flag("configs/reproduce.py")
_OUT = outlook.out_flag(
  None,
  "Folder of the run; by default runs/reproduce, runs/full or runs/scratch.",
)
_FULL = flags.DEFINE_bool(
  "full", False, "Draw all anew, also what the package ships: hours."
)
_SHIPPED = flags.DEFINE_string(
  "shipped", "", "Folder that launch.pack_run wrote, not the package's."
)
_FROM_SCRATCH = flags.DEFINE_bool(
  "from_scratch", False, "Train the models, in the run's folder training/, too."
)
_SHARE = flags.DEFINE_float(
  "training_share", 1, "Of --from_scratch: of each stage's questions and steps."
)


def main(_: list[str]) -> None:
  """The whole experiment."""
  config = _CONFIG.value
  default = "runs/full" if _FULL.value else "runs/reproduce"
  out = _OUT.value or ("runs/scratch" if _FROM_SCRATCH.value else default)
  shipped, note = None, list[str]()
  if _FULL.value or _FROM_SCRATCH.value:
    if _SHIPPED.value:
      raise errors.InputError(
        "--shipped names what need not be drawn; --full and --from_scratch draw"
        " all: leave one of them out"
      )
    if (storage.at(out) / packed.MARK).exists():
      raise errors.InputError(
        f"{out}: filled with what the package ships, which --full would not"
        " draw anew; give another --out, or delete it"
      )
  if _FROM_SCRATCH.value:
    # Before hours of training, not after.
    size = len(experiment.check(config)[1])
    training = storage.at(out) / "training"
    training_part = scratch.forecast(training, _SHARE.value)
    estimating.begin(config, out, size, None, training_part)
    scratch.perform(training, share=_SHARE.value)
    scratch.settle(config, training)
  elif _SHARE.value != 1:
    raise errors.InputError("--training_share is of --from_scratch alone")
  elif not _FULL.value:
    shipped, *note = shipping.find(config, _SHIPPED.value)
  experiment.perform(config, out, shipped, *note)


if __name__ == "__main__":
  entry.run(main)
