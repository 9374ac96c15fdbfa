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
  "--config.schedule.steps=30",
  "--config.schedule.log_every=1",
  "--config.schedule.validate_every=5",
  "--config.validation.batches=1",
  "--config.tokenizer.count=50",
)


def _lines(folder):
  lines = (folder / "metrics.jsonl").read_text().splitlines()
  return [json.loads(line) for line in lines]


def test_killed_at_random_training_ends_in_the_same_weights(tmp_path):
  env = {
    "JAX_PLATFORMS": "cpu",
    "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
  }

  def command(out):
    return kill_harness.python(
      "-m", "launch.train_lm", f"--out={tmp_path / out}", *_SMALL
    )

  kill_harness.run_killed(command("whole"), [], env=env)
  kills = kill_harness.run_killed(
    command("killed"),
    kill_harness.random_delays(3, 0.5, seed=0),
    started=(tmp_path / "killed" / "metrics.jsonl").exists,
    env=env,
  )
  assert kills == 3
  assert _lines(tmp_path / "killed") == _lines(tmp_path / "whole")
  losses = [x["loss"] for x in _lines(tmp_path / "whole") if "loss" in x]
  assert len(losses) == 30
  assert np.mean(losses[-5:]) < losses[0] - 0.5
  weights = {
    out: (tmp_path / out / "model" / "model.safetensors").read_bytes()
    for out in ("whole", "killed")
  }
  assert weights["whole"] == weights["killed"]

  lm, _ = huggingface.load(tmp_path / "whole" / "model")
  tokenizer = tokenization.load(tmp_path / "whole" / "model")
  assert lm.vocabulary == tokenizer.vocabulary
