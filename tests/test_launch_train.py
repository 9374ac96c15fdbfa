"""The training launcher, from the command line, killed and started again."""

import json

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


def test_a_wrong_flag_can_be_corrected_in_the_same_folder(tmp_path, cache):
  """Also where the wrong run learned a tokenizer of its own."""
  out = tmp_path / "run"
  wrong = ("--config.optimizer.warmup=99", "--config.tokenizer.vocabulary=258")
  done = kill_harness.run(_command(out, *wrong), cache)
  assert done.returncode == 2, done.stderr
  assert tokenization.load(out / "model").vocabulary == 258
  done = kill_harness.run(_command(out, "--config.schedule.steps=5"), cache)
  assert done.returncode == 0, done.stderr
  lm, _ = huggingface.load(out / "model")
  assert lm.vocabulary == tokenization.load(out / "model").vocabulary > 258
