"""Compares verifiers that `launch.score` measured: a row of a table for each.

  python -m launch.compare_verifiers --out runs/regimes \
      --run frozen=runs/score --run joint=runs/score_joint

Prints the table and writes regimes.json; beside a verifier's card, that file
is the table of its page; the one named `outcome` is drawn there against
`frozen`. All runs are of the same questions and samples a question.
"""

import pathlib
from typing import Any

from absl import flags

from launch import entry, outlook
from tts_jax import errors, json_input, storage
from tts_jax.scaling import verifier_summary
from tts_jax.store import atomic, manifest, pool, run
from tts_jax.verify import saved

_RUN = flags.DEFINE_multi_string(
  "run", None, "NAME=FOLDER, a run of launch.score; give it once for each."
)
_OUT = outlook.out_flag("runs/regimes", "Folder of regimes.json.")
_BUDGET = flags.DEFINE_integer("budget", 64, "N of weighted best-of-N.", 1)


def main(_: list[str]) -> None:
  """Reads the runs, prints their table and writes it."""
  given = [_named(one) for one in _RUN.value or ()]
  if not given:
    raise errors.InputError("no run is given; give --run NAME=FOLDER")
  folders = dict(given)
  if len(folders) < len(given):
    raise errors.InputError("two runs have one name; --run NAME=FOLDER")
  part = outlook.Part("comparison", f"of {len(folders)} runs")
  outlook.begin(_OUT.value, part)
  found = {name: _measured(path) for name, path in folders.items()}
  _check_alike(folders)
  out = storage.at(_OUT.value)
  atomic.make_folder(out)
  atomic.write_json(out / saved.REGIMES, found)
  print(verifier_summary.regimes_table(found))
  print(out / saved.REGIMES)


def _named(given: str) -> tuple[str, pathlib.Path]:
  name, sign, folder = given.partition("=")
  if not (name and sign and folder):
    raise errors.InputError(f"--run {given}: it must be NAME=FOLDER")
  return name, storage.at(folder)


def _measured(folder: pathlib.Path) -> dict[str, Any]:
  path = folder / "verifier.json"
  if not path.is_file():
    raise errors.InputError(f"{path} is missing; run launch.score to its end")
  measured = json_input.read_object(path)
  budgets = measured["curves"]["best_of_n"]
  if str(_BUDGET.value) not in budgets:
    raise errors.InputError(
      f"{path} has no budget {_BUDGET.value}; it has {', '.join(budgets)}"
    )
  config = manifest.read_config(folder / run.CONFIG_FILE)
  return {
    **verifier_summary.regime(measured, _BUDGET.value),
    "verifier": config["verifier"],
    "commit": json_input.read_object(folder / "usage.json")["commit"],
  }


def _check_alike(folders: dict[str, pathlib.Path]) -> None:
  (first, path), *others = folders.items()
  wanted = pool.load_pool(path)
  for name, folder in others:
    found = pool.load_pool(folder)
    if (
      found.question_ids != wanted.question_ids
      or found.correct.shape != wanted.correct.shape
    ):
      raise errors.InputError(
        f"{folder} ({name}) is of other questions or samples a question than"
        f" {path} ({first})"
      )


if __name__ == "__main__":
  entry.run(main)
