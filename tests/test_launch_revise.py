"""The launcher of chains, killed and misused, and models side by side."""

import json

import kill_harness
import pytest
import revise_command

from tts_jax.store import chains


def test_chains_killed_are_the_same(tmp_path, model, cache):
  whole, out = tmp_path / "whole", tmp_path / "run"
  done = kill_harness.run(revise_command.revise(model, whole), cache)
  assert done.returncode == 0, done.stderr
  assert "answer 4 of a chain: 0.000 right" in done.stdout
  stage = out / chains.STAGE
  kill_harness.run_killed(
    revise_command.revise(model, out),
    [0.02, 0.02],
    progress=lambda: len(list(stage.glob("*.parquet"))),
    env=cache,
  )
  assert kill_harness.contents(stage) == kill_harness.contents(
    whole / chains.STAGE
  )
  found = chains.load_chains(out)
  assert found.lengths == (4, 4, 4)
  assert found.answers.correct.shape == (6, 12)
  first = found.context.reshape(6, 3, 4)[..., 0]
  assert not first.any()
  assert found.context.max() <= 36
  assert (found.read <= found.context).all()


def test_models_side_by_side(tmp_path, model, cache):
  for name, temperature in (("one", 1.0), ("two", 0.5)):
    flag = f"--config.sampler.temperature={temperature}"
    done = kill_harness.run(
      revise_command.revise(model, tmp_path / name, flag), cache
    )
    assert done.returncode == 0, done.stderr
  one, two = (f"--run={name}={tmp_path / name}" for name in ("one", "two"))
  command = kill_harness.python(
    "-m", "launch.compare_revisions", f"--out={tmp_path / 'out'}"
  )
  done = kill_harness.run([*command, one, two], cache)
  assert done.returncode == 0, done.stderr
  found = json.loads((tmp_path / "out" / "models.json").read_text())
  assert set(found) == {"one", "two"}
  assert len(found["one"]["pass_at_1_along_chain"]) == 4
  assert "fourth less first" in done.stdout
  short = ("--config.length=3", "--config.questions.count=5")
  done = kill_harness.run(
    revise_command.revise(model, tmp_path / "short", *short), cache
  )
  for flags, message in (
    ((), "no run is given"),
    ((one, one), "each name once"),
    (("--run=one",), "it must be NAME=FOLDER"),
    ((one, f"--run=short={tmp_path / 'short'}"), "at least 4 are compared"),
  ):
    done = kill_harness.run([*command, *flags], cache)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize(
  ("flag", "message"),
  [
    ("revision.context_tokens=60", "exceed the model's 96 positions"),
    ("revision.window=0", "window is 0"),
    ("length=0", "each must have at least 1"),
    ("revision.rebuilt=0", "rebuilt is 0"),
    ("questions.split=dev", "must be one of train, validation"),
  ],
)
def test_chains_that_cannot_run(tmp_path, model, cache, flag, message):
  command = revise_command.revise(model, tmp_path / "run", f"--config.{flag}")
  done = kill_harness.run(command, cache)
  assert done.returncode == 2
  assert message in done.stderr
  assert len(done.stderr.strip().splitlines()) == 1
