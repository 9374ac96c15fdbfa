"""Searches against a verifier: every method at every budget, as curves.

  python -m launch.search --out runs/search
  python -m launch.search --out runs/beam --config.questions.count=50 \
      --config.search.methods='("beam_4",)' --config.search.budgets='(4, 16)'

Samples a pool, scores it, searches, and writes summary.json, report.html and
trees.html. Killed and started again with the same --out it goes on. In a
notebook: `tts_jax.store.searches.load_searches("runs/search")`.
"""

from launch import entry, experiment, outlook

_CONFIG = entry.config_flag("configs/search.py")
_OUT = outlook.out_flag("runs/search", "Folder of the run.")


def main(_: list[str]) -> None:
  """The experiment of `launch.reproduce`, by the config of the sweep."""
  experiment.perform(_CONFIG.value, _OUT.value)


if __name__ == "__main__":
  entry.run(main, hosts=True)
