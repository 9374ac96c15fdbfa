"""Packs the main experiment's run into the few small files that ship.

  python -m launch.reproduce --full
  python -m launch.pack_run --run runs/full --out tts_jax/assets/run

What is left out is drawn when the run is used: the smallest searches, and all
that is measured.
"""

import ml_collections
import pyarrow.compute as pc
from absl import flags

from launch import drawing, entry, outlook, pooling, shipping
from tts_jax import json_input, storage
from tts_jax.store import chains, manifest, packed, pool, run, scores, searches

_RUN = flags.DEFINE_string("run", "runs/full", "Folder of the run.")
_OUT = outlook.out_flag(None, "Folder of what ships.")
flags.mark_flag_as_required("out")

_USAGE = "usage.json"
# Of each stage, what is read of it only while it is made.
_STAGES = {
  pool.STAGE: ("logprobs",),
  scores.STAGE: (),
  searches.STAGE: (),
  chains.STAGE: ("logprobs", "step_min_logprob"),
  **dict.fromkeys(chains.SCORES.values(), ()),
  chains.OF_SEARCH: ("logprobs", "step_min_logprob"),
  chains.SCORES_OF_SEARCH: (),
}


def main(_: list[str]) -> None:
  """Writes the files, and prints how large they are."""
  folder, out = storage.at(_RUN.value), storage.at(_OUT.value)
  made = manifest.read_config(folder / run.CONFIG_FILE)
  config = ml_collections.ConfigDict(made)
  task, questions = pooling.find_questions(config)
  size = f"of {len(questions)} questions"
  outlook.begin(out, outlook.Part("stages", size))
  packed.pack(
    folder,
    out,
    {name: _STAGES[name] for name in _STAGES if (folder / name).is_dir()},
    made_for=shipping.made_for(questions, drawing.load(config, task)),
    commit=json_input.read_object(folder / _USAGE)["commit"],
    files=(_USAGE,),
    without={searches.STAGE: pc.field("budget") <= shipping.LIVE},
  )
  for path in sorted(out.glob("*.parquet")):
    print(f"{path.stat().st_size / 1e6:6.2f} MB  {path}")


if __name__ == "__main__":
  entry.run(main)
