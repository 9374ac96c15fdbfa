"""Metrics of trainings as TensorBoard reads them."""

import importlib.util
import json
import struct
import sys

import kill_harness
import pytest
import stage_commands

from launch import events

_NEEDED = pytest.mark.skipif(
  importlib.util.find_spec("tensorboardX") is None,
  reason="needs the extra tensorboard",
)
_FLAGS = stage_commands.STAGES["train_lm"].flags


def _read(folder):
  """[(step, name, value)] as TensorBoard shows them, files in their order."""
  from tensorboardX.proto import event_pb2

  shown = []
  for path in sorted(folder.glob("events.*"), key=lambda p: int(p.suffix[1:])):
    data = path.read_bytes()
    while data:
      (size,) = struct.unpack("<Q", data[:8])
      event = event_pb2.Event.FromString(data[12 : 12 + size])
      data = data[16 + size :]
      if event.session_log.status == event_pb2.SessionLog.START:
        shown = [one for one in shown if one[0] < event.step]
      for value in event.summary.value:
        shown.append((event.step, value.tag, value.simple_value))
  return shown


@_NEEDED
def test_event_files_show_what_the_lines_say(tmp_path, cache):
  out = tmp_path / "run"
  command = ("-m", "launch.train_lm", f"--out={out}", *_FLAGS, "--tensorboard")
  done = kill_harness.run(kill_harness.python(*command), cache)
  assert done.returncode == 0, done.stderr
  lines = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
  wanted = [
    (line["step"], name, pytest.approx(value, rel=1e-6))
    for line in lines
    for name, value in line.items()
    if name != "step"
  ]
  assert len({name for _, name, _ in wanted}) > 2
  assert _read(out / events.FOLDER) == wanted


@_NEEDED
def test_what_comes_after_the_checkpoint_of_a_killed_run_is_shown_once(
  tmp_path,
):
  write = events.writer(tmp_path)(0)
  for step in (1, 2, 3):
    write({"step": step, "loss": 0.5})
  write = events.writer(tmp_path)(2)
  write({"step": 3, "loss": 0.25})
  shown = _read(tmp_path / events.FOLDER)
  assert shown == [(1, "loss", 0.5), (2, "loss", 0.5), (3, "loss", 0.25)]


def test_without_the_extra_one_line_says_where_it_comes_from(tmp_path):
  out = tmp_path / "run"
  hidden = (
    "import runpy, sys; sys.modules['tensorboardX'] = None;"
    " runpy.run_module('launch.train_lm', run_name='__main__')"
  )
  flags = (f"--out={out}", *_FLAGS, "--tensorboard")
  done = kill_harness.run([sys.executable, "-c", hidden, *flags], {})
  assert done.returncode == 2, done.stderr
  assert "pip install -e '.[tensorboard]'" in done.stderr
  assert len(done.stderr.strip().splitlines()) == 1
  assert not out.exists()
