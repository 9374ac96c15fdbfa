"""A few kills of the stages that no other test kills; see `kill_stages`."""

import collections
import re

import kill_harness
import kill_stages
import pyarrow as pa
import pyarrow.parquet as pq
import stage_commands

from launch import scratch


def test_kills_lose_and_double_nothing(tmp_path):
  command = ("tests/kill_stages.py", "--kills=8", f"--out={tmp_path}")
  done = kill_harness.run(
    kill_harness.python(*command, "--stages=build_revisions"),
    {"PYTHONPATH": str(kill_harness.ROOT)},
  )
  assert done.returncode == 0, done.stdout + done.stderr
  lines = done.stdout.splitlines()
  told = [one for one in lines if re.match(r"\[\d/8\] build_\w+: killed", one)]
  assert len(told) == 8
  assert lines[-1].startswith("all: 8 kills in ")
  for what in ("lost", "doubled or foreign", "differ;", "faults by"):
    assert f" 0 {what}" in lines[-1]
  (rows,) = re.findall(r"of (\d+) rows", lines[-1])
  assert int(rows) > 100


def test_what_a_kill_could_do_is_told(tmp_path):
  harness = kill_stages.Harness(tmp_path, 0)
  mine, whole = harness.out("sample"), harness.whole / "sample"

  def write(folder, **files):
    (folder / "pool").mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
      table = pa.table({"row": pa.array(rows, pa.int64())})
      pq.write_table(table, folder / "pool" / f"{name}.parquet")

  write(whole, a=[1, 2], b=[3])
  write(mine, a=[1, 2], b=[3])
  assert harness.compare("sample") == collections.Counter(
    {"rows": 3, "files": 2}
  )
  write(mine, b=[2, 4, 4])
  assert harness.compare("sample") == collections.Counter(
    {
      "rows": 3,
      "rows lost": 1,
      "rows doubled or foreign": 3,
      "files": 2,
      "files that differ": 1,
    }
  )
  # Seconds are another each time, what came of them is not.
  write(mine, b=[3])
  for folder, seconds, value in ((mine, 1, 2), (whole, 3, 2), (whole, 3, 4)):
    text = f'{{"seconds": {seconds}, "pass_at_1": {value}}}'
    (folder / "summary.json").write_text(text)
    (folder / "usage.json").write_text(text)
  assert harness.compare("sample")["files that differ"] == 1
  (mine / "summary.json").write_text('{"seconds": 1, "pass_at_1": 4}')
  assert harness.compare("sample")["files that differ"] == 0


def test_every_stage_that_makes_something_is_killed():
  killed = {one.launcher for one in stage_commands.STAGES.values()}
  assert {one.launcher for one in scratch.STAGES} <= killed
  assert killed >= {"score", "search", "solve", "reproduce", "export_samples"}
