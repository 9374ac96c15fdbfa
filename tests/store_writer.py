"""A child process that writes a small run, for the kill tests.

  python tests/store_writer.py FOLDER BATCHES KILL_AT

Kills itself at its KILL_AT-th flush or rename, before doing it; 0: never.
"""

import itertools
import os
import random
import signal
import sys

import pyarrow as pa

from tts_jax.store import run

SCHEMA = pa.schema(
  [
    pa.field("row", pa.int64(), nullable=False),
    pa.field("text", pa.string()),
    pa.field("values", pa.list_(pa.float32()), nullable=False),
  ]
)
CONFIG = {"rows": 50, "nested": {"seed": 3}}


def batch_table(batch: int) -> pa.Table:
  source = random.Random(batch)
  rows = [
    {
      "row": 50 * batch + i,
      "text": None if source.random() < 0.2 else str(source.random()),
      "values": [source.random() for _ in range(source.randrange(9))],
    }
    for i in range(50)
  ]
  return pa.Table.from_pylist(rows, schema=SCHEMA)


def write(folder: str, batches: int) -> None:
  with run.Run.open(folder, CONFIG) as opened:
    stage = opened.stage("numbers", SCHEMA, "inputs")
    for batch in sorted(set(range(batches)) - stage.done()):
      stage.write(batch, batch_table(batch))
    opened.write_json("summary.json", {"rows": stage.read().num_rows})


def _kill_at(point: int) -> None:
  count = itertools.count(1)

  def fatal(do):
    def wrapped(*args, **kwargs):
      if next(count) == point:
        os.kill(os.getpid(), signal.SIGKILL)
      return do(*args, **kwargs)

    return wrapped

  os.fsync, os.replace = fatal(os.fsync), fatal(os.replace)


if __name__ == "__main__":
  _kill_at(int(sys.argv[3]))
  write(sys.argv[1], int(sys.argv[2]))
