"""Compares revision models that `launch.revise` ran: how chains of each go on.

  python -m launch.compare_revisions --out runs/revision_models \
      --run shipped=runs/revise --run rest_em=runs/revise_rest_em

Prints a table and writes models.json; beside a revision model's card, that file
is told of on its page, the one named `rest_em` drawn there. All runs are of the
same questions.
"""

from typing import Any

from absl import flags

from launch import entry, outlook
from tts_jax import errors, storage
from tts_jax.model import embedded
from tts_jax.scaling import revision_turns
from tts_jax.store import atomic, chains, manifest, provenance, run

_RUN = flags.DEFINE_multi_string(
  "run", None, "NAME=FOLDER, a run of launch.revise; give it once for each."
)
_OUT = outlook.out_flag("runs/models", "Folder of models.json.")


def main(_: list[str]) -> None:
  """Reads the runs, prints their table and writes it."""
  if not _RUN.value:
    raise errors.InputError("no run is given; give --run NAME=FOLDER")
  part = outlook.Part("comparison", f"of {len(_RUN.value)} runs")
  outlook.begin(_OUT.value, part)
  found: dict[str, dict[str, Any]] = {}
  ids: tuple[str, ...] | None = None
  for given in _RUN.value:
    name, sign, path = given.partition("=")
    if not (name and sign and path) or name in found:
      raise errors.InputError(
        f"--run {given}: it must be NAME=FOLDER, each name once"
      )
    loaded = chains.load_chains(path)
    if min(loaded.lengths) < 4:
      raise errors.InputError(
        f"{path} ({name}): its chains have {min(loaded.lengths)} answers;"
        " at least 4 are compared"
      )
    if ids not in (None, loaded.answers.question_ids):
      raise errors.InputError(f"{path} ({name}) is of other questions")
    ids = loaded.answers.question_ids
    config = manifest.read_config(storage.at(path) / run.CONFIG_FILE)
    found[name] = {
      **revision_turns.along_chain(loaded, config["seed"]),
      "questions": len(ids),
      "chains": len(loaded.lengths),
      "model": config["model"],
      "commit": provenance.commit(),
    }
  out = storage.at(_OUT.value)
  atomic.make_folder(out)
  atomic.write_json(out / embedded.MODELS, found)
  print(revision_turns.models_table(found))
  print(out / embedded.MODELS)


if __name__ == "__main__":
  entry.run(main)
