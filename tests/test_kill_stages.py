"""A few kills of the stages that no other test kills; see `kill_stages`."""

import re

import kill_harness
import stage_commands

from launch import scratch


def test_kills_lose_and_double_nothing(tmp_path):
  stages = "score,export_samples,build_revisions"
  command = ("tests/kill_stages.py", "--kills=8", f"--out={tmp_path}")
  done = kill_harness.run(
    kill_harness.python(*command, f"--stages={stages}"),
    {"PYTHONPATH": str(kill_harness.ROOT)},
  )
  assert done.returncode == 0, done.stdout + done.stderr
  lines = done.stdout.splitlines()
  told = [line for line in lines if re.match(r"\[\d/8\] \w+: killed", line)]
  assert len(told) == 8
  assert {line.split()[1][:-1] for line in told} == {*stages.split(",")}
  assert lines[-1].startswith("all: 8 kills in ")
  for what in ("lost", "doubled or foreign", "differ;", "faults by"):
    assert f" 0 {what}" in lines[-1]
  (rows,) = re.findall(r"of (\d+) rows", lines[-1])
  assert int(rows) > 100


def test_a_run_that_lacks_a_row_or_has_another_one_is_told(tmp_path):
  command = ("tests/kill_stages.py", "--kills=0", f"--out={tmp_path}")
  flags = kill_harness.python(*command, "--stages=sample")
  env = {"PYTHONPATH": str(kill_harness.ROOT)}
  assert kill_harness.run(flags, env).returncode == 0
  # A whole run that had more, or others.
  (path,) = (tmp_path / "whole" / "sample" / "pool").glob("00001-*")
  path.unlink()
  (tmp_path / "whole" / "sample" / "pool.json").write_text("{}")
  done = kill_harness.run([*flags, "--kills=1"], env)
  assert done.returncode == 1, done.stderr
  last = done.stdout.splitlines()[-1]
  assert "32 rows 0 lost, 16 doubled or foreign" in last
  assert "2 differ;" in last


def test_every_stage_that_makes_something_is_killed():
  killed = {one.launcher for one in stage_commands.STAGES.values()}
  assert {one.launcher for one in scratch.STAGES} <= killed
  assert killed >= {"score", "search", "solve", "reproduce", "export_samples"}
