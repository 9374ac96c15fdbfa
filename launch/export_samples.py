"""Writes a run's samples for other programs, as search-and-learn writes them.

  python -m launch.export_samples --run runs/search --out samples.jsonl
  python -m launch.replay --config.file=samples.jsonl --out runs/replay

A line is a question: problem, answer, id and what else its source states;
completions, and of each the length in tokens, verdict, answer ("preds") and
whether it came to its end; and where the run has scores, those of its steps.
`launch.replay` reads it to the run's own numbers. The file is whole or absent.
"""

import json
import pathlib

import ml_collections
import tqdm
from absl import flags

from launch import entry, outlook, pooling
from tts_jax import errors, storage
from tts_jax.scaling import replayed_pool
from tts_jax.store import atomic, manifest, run
from tts_jax.tasks import base, replayed, selection, training

_RUN = flags.DEFINE_string("run", None, "Folder of the run.")
_OUT = outlook.out_flag(None, "The file to write.")


def main(_: list[str]) -> None:
  """Writes the samples, a question a line."""
  if not _RUN.value or not _OUT.value:
    raise errors.InputError("give both --run FOLDER and --out FILE")
  folder, out = storage.at(_RUN.value), storage.at(_OUT.value)
  made = manifest.read_config(folder / run.CONFIG_FILE)
  questions = _questions(folder, ml_collections.ConfigDict(made))
  size = f"of {len(questions)} questions"
  outlook.begin(out, outlook.Part("samples", size))
  atomic.make_folder(out.parent)
  atomic.remove_dead(out)
  count = 0
  with atomic.writing(out) as file:
    for one in tqdm.tqdm(
      replayed_pool.of_run(folder, questions), unit="question"
    ):
      line = json.dumps(replayed.record(one), ensure_ascii=False)
      file.write(f"{line}\n".encode())
      count += 1
  scored = "no scores" if one.scores is None else "scores"
  print(f"{count} questions x {len(one.completions)}, {scored}: {out}")


def _questions(
  folder: pathlib.Path, config: ml_collections.ConfigDict
) -> list[base.Question]:
  """The questions of a run; prompts are not needed, nor a model."""
  if "questions" not in config or "task" not in config:
    raise errors.InputError(
      f"{folder}: its config names no questions, so that their texts are not"
      " known; give a run of launch.sample, score, search or reproduce"
    )
  wanted = config.questions
  split = wanted.get("split", "")
  if split in training.SPLITS and config.task != selection.FILE_TASK:
    return training.draw(
      config.task, split=split, count=wanted.count, seed=config.seed
    )[1]
  return pooling.read_questions(config)[1]


if __name__ == "__main__":
  entry.run(main)
