"""The main job on a tiny model, with settings that a person may choose."""

import json
import os
import subprocess

import kill_harness
import pytest

from configs import subset
from launch import estimating, shipping
from tts_jax.store import packed, pool, shards

_SMALL = (
  "--config.task=arithmetic",
  "--config.verifier=none",
  "--config.questions.count=6",
  "--config.samples=7",
  "--config.limits.prompt_tokens=32",
  "--config.limits.max_tokens=12",
  "--config.engine.groups=2",
  "--config.engine.rows=2",
  "--config.engine.batch=2",
)


def _run(*flags):
  return subprocess.run(
    kill_harness.python("-m", "launch.reproduce", *_SMALL, *flags),
    capture_output=True,
    text=True,
    check=False,
    cwd=kill_harness.ROOT,
    env={**os.environ, "JAX_PLATFORMS": "cpu"},
  )


def test_a_budget_need_not_be_a_power_of_two(tmp_path, model):
  out = tmp_path / "run"
  done = _run(f"--out={out}", f"--config.model={model}")
  assert done.returncode == 0, done.stderr
  summary = json.loads((out / "summary.json").read_text())
  assert set(summary["pass_at_k"]) == {"1", "2", "4", "7"}
  assert "majority@7" in done.stdout
  first, second, *_ = done.stdout.splitlines()
  assert first.startswith(f"to {out}: samples: ")
  assert second.startswith("all is drawn anew, as what ships is of another")
  rows = shards.read(out / pool.STAGE)["verdict"].to_pylist()
  assert summary["verdicts"] == {
    word: rows.count(word) for word in pool.VERDICTS
  }
  assert summary["groups"]["all"]["questions"] == 6


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (("--config.seed=-1",), "config.seed is -1"),
    (("--config.samples=1",), "config.samples is 1; at least 2"),
    (("--config.questions.count=4",), "there are 4 questions; at least 5"),
    (("--config.model=",), "give a folder with a model for arithmetic"),
  ],
)
def test_what_would_fail_at_the_end_fails_at_the_start(
  tmp_path, model, flags, message
):
  out = tmp_path / "run"
  done = _run(f"--out={out}", f"--config.model={model}", *flags)
  assert done.returncode == 2
  assert message in done.stderr
  assert len(done.stderr.strip().splitlines()) == 1
  assert not (out / pool.STAGE).exists()


def _seconds(config, questions, shipped=None):
  """Of each part, what is left."""
  found = estimating.parts(config, "new", questions, shipped)
  return {one.name: (1 - one.done) * one.seconds for one in found}


def test_the_time_that_it_takes_is_said_in_parts():
  config = subset.get_config()
  parts = _seconds(config, 150)
  assert 7.5 < sum(parts.values()) / 60 < 8.5
  # What is drawn grows with the questions, what is told of it does less.
  more = _seconds(config, 300)
  grown = {name for name in parts if more[name] == 2 * parts[name]}
  assert grown == {*parts} - {"figures"}
  assert {*parts} == {"samples", "scores", "searches", "revisions", "figures"}
  assert parts["figures"] < more["figures"] < 2 * parts["figures"]
  left = _seconds(config, 150, packed.load(shipping.FOLDER))
  assert {name for name in left if left[name]} == {"searches", "figures"}
  assert 0 < left["searches"] < parts["searches"]
  config.verifier = "none"
  assert _seconds(config, 150).keys() == {"samples", "figures"}
