"""Answering a file of questions: rows as they come, and a bar."""

import json
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import ml_collections
import tqdm

from launch import showing
from tts_jax.decode import pools
from tts_jax.solving import filling, solver
from tts_jax.store import answers, atomic, manifest, pool, run, shards
from tts_jax.tasks import base
from tts_jax.verify import saved

LINES = "answers.jsonl"


def fill(
  out: pathlib.Path,
  config: ml_collections.ConfigDict,
  questions: Sequence[base.Question],
  solving: solver.Solver,
  folders: Sequence[pathlib.Path],
  policy: pathlib.Path | None,
  *,
  show: bool,
) -> None:
  """Answers what the run's folder lacks, and writes all as JSON lines.

  Args:
    out: the folder.
    config: of the run.
    questions: of the file.
    solving: answers.
    folders: of its models.
    policy: its file; None: there is none.
    show: write trees and chains too.
  """
  asked = {"budget": solving.budget, "show": show}
  made_of: dict[str, Any] = {
    "questions": pools.inputs_hash(questions, folders[0]),
    "others": [saved.content_hash(one) for one in folders[1:]],
    "policy": policy and atomic.file_hash(policy),
  }
  with run.Run.open(out, {**config.to_dict(), **asked}) as folder:
    pool.expect(folder, len(questions))
    batch, placed = config.engine.batch, solving.unplaced(questions)
    if solving.places:
      inputs = manifest.config_hash(made_of)
      stage = folder.stage(answers.PLACES, answers.PLACES_SCHEMA, inputs)
      placing = filling.place(stage, questions, solving, batch=batch)
      _follow("difficulty", len(questions), placing)
      placed = filling.places(stage)
      made_of["placed"] = shards.content_hash([stage.folder])
    inputs = manifest.config_hash(made_of)
    stage = folder.stage(answers.STAGE, answers.SCHEMA, inputs)

    def told(_: int, solved: solver.Solved) -> None:
      if show:
        showing.write(out, solved, solving)

    filled = filling.fill(
      stage, questions, placed, solving, batch=batch, show=told
    )
    _follow("answers", len(questions), filled)
    rows = answers.load_answers(out)
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    atomic.write_bytes(out / LINES, lines.encode())
  graded = [row["correct"] for row in rows if row["correct"] is not None]
  right = f", {sum(graded)} of {len(graded)} graded right" if graded else ""
  flops = sum(row["flops"] for row in rows)
  print(f"{len(rows)} answered{right}, {flops:.3g} FLOPs: {out / LINES}")


def _follow(name: str, size: int, lefts: Iterable[int]) -> None:
  """Works to the end, with a progress bar."""
  with tqdm.tqdm(total=size, unit="question", desc=name) as bar:
    for left in lefts:
      bar.update(size - left - bar.n)
