"""Writing samples that somebody else made as the stages of a run."""

import pathlib
from collections.abc import Sequence

import ml_collections
import tqdm

from tts_jax import errors, storage
from tts_jax.scaling import replay_summary, replayed_pool
from tts_jax.scaling import summary as summary_lib
from tts_jax.store import atomic, pool, run, scores
from tts_jax.tasks import base, replayed


def read(
  config: ml_collections.ConfigDict, task: base.Task
) -> list[replayed.Replayed]:
  """Reads a config's file, and says what it holds before it is worked on.

  Args:
    config: of the run.
    task: reads answers.

  Raises:
    InputError: a value is out of its range, as `replayed.read`, or the samples
      cannot be summarised.
  """
  if not config.file:
    raise errors.InputError("no file is given; give --config.file=FILE")
  if config.batch < 1:
    raise errors.InputError(
      f"config.batch is {config.batch}; it must be at least 1"
    )
  replay_summary.check(config.aggregation)
  file = storage.at(config.file)
  fields = replayed.Fields(**config.fields)
  found = replayed.read(file, fields, config.samples)
  first = found[0]
  summary_lib.check(len(found), len(first.completions), config.seed)
  replayed.check_gradable(found, task)
  replayed.check_scored(found, task)
  scored = "no scores" if first.scores is None else "scores"
  graded = "graded here" if first.verdicts is None else "graded in the file"
  print(
    f"{len(found):,} questions x {len(first.completions):,} completions,"
    f" {scored}, {graded}",
    flush=True,
  )
  return found


def fill(
  folder: run.Run,
  file: pathlib.Path,
  found: Sequence[replayed.Replayed],
  task: base.Task,
  *,
  batch: int,
) -> None:
  """Fills a run's pool, and its scores where the file has them.

  Args:
    folder: of the run.
    file: what was read.
    found: Q questions, each with N completions.
    task: reads answers, and grades them where the file has no verdicts.
    batch: questions a shard.
  """
  made_of = atomic.file_hash(file)
  samples = folder.stage(pool.STAGE, pool.SCHEMA, made_of)
  pool.expect(folder, len(found))
  judged = None
  if found[0].scores is not None:
    judged = folder.stage(scores.STAGE, scores.SCHEMA, made_of)
  with tqdm.tqdm(total=len(found), unit="question") as bar:
    for first in range(0, len(found), batch):
      mine, number = found[first : first + batch], first // batch
      if number not in samples.done():
        samples.write(number, replayed_pool.samples(mine, task))
      if judged is not None and number not in judged.done():
        judged.write(number, replayed_pool.scores(mine))
      bar.update(len(mine))
