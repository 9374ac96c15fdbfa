"""The training launcher, from the command line, killed and started again."""

import json
import time

import kill_harness
import numpy as np

from tts_jax.model import huggingface
from tts_jax.tasks import tokenization

_SMALL = (
  "--config=configs/train_arithmetic.py",
  "--config.model.width=16",
  "--config.model.layers=1",
  "--config.model.mlp_width=16",
  "--config.data.rows=4",
  "--config.optimizer.warmup=2",
  "--config.schedule.steps=60",
  "--config.schedule.log_every=1",
  "--config.schedule.validate_every=5",
  "--config.validation.batches=1",
  "--config.tokenizer.count=50",
)


def _lines(folder):
  lines = (folder / "metrics.jsonl").read_text().splitlines()
  return [json.loads(line) for line in lines]


def _command(out, *flags):
  return kill_harness.python(
    "-m", "launch.train_lm", f"--out={out}", *_SMALL, *flags
  )


def test_killed_at_random_training_ends_in_the_same_weights(tmp_path, cache):
  kill_harness.run_killed(_command(tmp_path / "whole"), [], env=cache)
  reached: list[int] = []

  def steps():
    folder = tmp_path / "killed" / "checkpoints"
    names = [path.name for path in folder.glob("*")]
    return max((int(name) for name in names if name.isdecimal()), default=0)

  kills = kill_harness.run_killed(
    _command(tmp_path / "killed"),
    # Counted from the first state that a run adds, so each gets on.
    kill_harness.random_delays(4, 0.4, seed=0),
    progress=steps,
    killed=lambda: reached.append(steps()),
    env=cache,
  )
  assert kills == 4
  assert len({step for step in reached if 0 < step < 60}) >= 3, reached
  assert _lines(tmp_path / "killed") == _lines(tmp_path / "whole")
  losses = [x["loss"] for x in _lines(tmp_path / "whole") if "loss" in x]
  assert len(losses) == 60
  assert np.mean(losses[-5:]) < losses[0] - 0.5
  weights = {
    out: (tmp_path / out / "model" / "model.safetensors").read_bytes()
    for out in ("whole", "killed")
  }
  assert weights["whole"] == weights["killed"]

  lm, _ = huggingface.load(tmp_path / "whole" / "model")
  tokenizer = tokenization.load(tmp_path / "whole" / "model")
  assert lm.vocabulary == tokenizer.vocabulary

  # What is trained stays as its config says.
  before = kill_harness.contents(tmp_path / "whole")
  changed = "--config.optimizer.learning_rate=0.5"
  done = kill_harness.run(_command(tmp_path / "whole", changed), cache)
  assert done.returncode == 2, done.stderr
  assert "optimizer.learning_rate was 0.003, is now 0.5" in done.stderr
  assert len(done.stderr.strip().splitlines()) == 1
  assert kill_harness.contents(tmp_path / "whole") == before


def test_terminated_it_goes_on_from_the_step_it_was_at(tmp_path, cache):
  whole, out = tmp_path / "whole", tmp_path / "run"
  # No validation, and so no checkpoint, before the end.
  rare = ("--config.schedule.validate_every=60",)
  kill_harness.run_killed(_command(whole, *rare), [], env=cache)
  reached = 0
  for after in (5, 25):
    child = kill_harness.start(_command(out, *rare), cache)
    while child.poll() is None and len(_reached(out)) < after:
      time.sleep(0.001)
    child.terminate()
    _, said = child.communicate()
    assert child.returncode == 143, said
    assert said == (
      "terminated; what was written stays; the same command goes on\n"
    )
    kept = [path.name for path in (out / "checkpoints").iterdir()]
    assert max(map(int, kept)) == len(_reached(out)) > reached
    reached = len(_reached(out))
  assert after <= reached < 60
  done = kill_harness.run(_command(out, *rare), cache)
  assert done.returncode == 0, done.stderr
  assert f"resumed at step {reached} of 60" in done.stdout
  # Orbax writes down when it saved.
  found, wanted = (
    {
      name: data
      for name, data in kill_harness.contents(folder).items()
      if not name.startswith(("checkpoints/", "best/"))
    }
    for folder in (out, whole)
  )
  assert found == wanted
  assert "model/model.safetensors" in found


def _reached(out):
  """The steps that have a whole line."""
  path = out / "metrics.jsonl"
  lines = path.read_text().splitlines(True) if path.exists() else []
  return [line for line in lines if line.endswith("\n")]


def test_a_wrong_flag_can_be_corrected_in_the_same_folder(tmp_path, cache):
  """Also where the wrong run learned a tokenizer of its own."""
  out = tmp_path / "run"
  wrong = ("--config.data.microbatches=3", "--config.tokenizer.vocabulary=258")
  done = kill_harness.run(_command(out, *wrong), cache)
  assert done.returncode == 2, done.stderr
  assert tokenization.load(out / "model").vocabulary == 258
  done = kill_harness.run(_command(out, "--config.schedule.steps=5"), cache)
  assert done.returncode == 0, done.stderr
  lm, _ = huggingface.load(out / "model")
  assert lm.vocabulary == tokenization.load(out / "model").vocabulary > 258
