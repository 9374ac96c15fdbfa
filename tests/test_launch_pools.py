"""The launchers that sample, from the command line, on a tiny model."""

import json
import pathlib

import kill_harness
import numpy as np
import pytest

from tts_jax.store import pool, shards

_SMALL = (
  "--config.task=arithmetic",
  "--config.questions.count=12",
  "--config.samples=8",
  "--config.limits.prompt_tokens=32",
  "--config.limits.max_tokens=24",
  "--config.engine.groups=2",
  "--config.engine.rows=4",
  "--config.engine.steps=8",
  "--config.engine.batch=2",
)
# Seconds of sampling, many shards.
_LONG = (
  "--config.questions.count=160",
  "--config.samples=32",
  "--config.engine.batch=4",
)


def _command(launcher, out, model, *flags):
  return kill_harness.python(
    "-m",
    f"launch.{launcher}",
    f"--out={out}",
    *_SMALL,
    f"--config.model={model}",
    *flags,
  )


@pytest.fixture(scope="module")
def whole(tmp_path_factory, model, cache):
  """A pool that nothing interrupted."""
  out = tmp_path_factory.mktemp("whole") / "run"
  done = kill_harness.run(_command("sample", out, model), cache)
  assert done.returncode == 0, done.stderr
  return out


def test_a_pool_has_every_sample_of_every_question(whole):
  found = pool.load_pool(whole)
  assert found.answers.shape == (12, 8)
  assert len(set(found.question_ids)) == 12
  rows = shards.read(whole / pool.STAGE).to_pylist()
  assert len(rows) == 96
  for row in rows:
    assert len(row["tokens"]) == len(row["logprobs"]) <= 24
    assert row["finished"] or len(row["tokens"]) == 24
    assert row["logprob"] == pytest.approx(sum(row["logprobs"]), rel=1e-5)
    # What was cut states no answer, whatever stands there.
    assert row["finished"] or row["answer"] is None
    least = min(row["step_min_logprob"])
    assert least == pytest.approx(min(row["logprobs"]))
  assert {row["finished"] for row in rows} == {True, False}


def test_killed_at_random_a_pool_is_the_same(tmp_path, model, cache):
  """At least ten kills: nothing lost, nothing doubled, every byte the same."""
  done = kill_harness.run(
    _command("sample", tmp_path / "whole", model, *_LONG), cache
  )
  assert done.returncode == 0, done.stderr
  expected = kill_harness.contents(tmp_path / "whole" / pool.STAGE)
  assert len(expected) == 40
  written = [
    path.stat().st_mtime for path in (tmp_path / "whole" / pool.STAGE).iterdir()
  ]
  partial: list[int] = []
  kills = attempt = 0
  while kills < 10:
    # Once the work is done there is nothing left to kill: begin anew.
    folder = tmp_path / f"run{attempt}"
    usage, stage = folder / "usage.json", folder / pool.STAGE
    attempt += 1
    kills += kill_harness.run_killed(
      _command("sample", folder, model, *_LONG),
      kill_harness.spread_delays(
        12 - kills, max(written) - min(written), seed=attempt
      ),
      # Written after each question, and never twice the same: it has seconds.
      progress=lambda usage=usage: usage.exists() and usage.read_bytes(),
      killed=lambda stage=stage: partial.append(
        len(list(stage.glob("*.parquet")))
      ),
      env=cache,
    )
    assert kill_harness.contents(stage) == expected
    assert attempt < 6, "runs end before they can be killed"
  assert len({shards for shards in partial if 0 < shards < 40}) >= 5, partial


def test_the_pool_does_not_depend_on_the_engine(whole, tmp_path, model, cache):
  out = tmp_path / "run"
  flags = ("--config.engine.groups=3", "--config.engine.steps=5")
  done = kill_harness.run(_command("sample", out, model, *flags), cache)
  assert done.returncode == 0, done.stderr
  expected = shards.read(whole / pool.STAGE)
  found = shards.read(out / pool.STAGE)
  assert found["tokens"] == expected["tokens"]
  np.testing.assert_allclose(
    found["logprob"].to_numpy(), expected["logprob"].to_numpy(), atol=1e-4
  )


def test_reproduce_writes_the_summary_and_the_page(tmp_path, model, cache):
  out = tmp_path / "run"
  command = _command("reproduce", out, model, "--config.verifier=none")
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  summary = json.loads((out / "summary.json").read_text())
  found = pool.load_pool(out)
  assert summary["questions"] == 12
  assert summary["pass_at_1"] == pytest.approx(found.correct.mean())
  assert set(summary["pass_at_k"]) == {"1", "2", "4", "8"}
  assert set(summary["majority_at_k"]) == {"1", "2", "4", "8"}
  for interval in summary["pass_at_k"].values():
    assert interval["low"] <= interval["mean"] <= interval["high"]
  assert len(summary["bins"]) == 5
  assert sum(one["questions"] for one in summary["bins"]) == 12
  assert summary["tokens_generated"] == found.length.sum()
  assert 0 < summary["row_utilisation"] <= 1
  assert summary["seconds"] > 0
  assert summary["commit"]
  assert summary["config_hash"]
  page = (out / "report.html").read_text()
  assert "pass@8" in page
  assert 'src="data:' in page

  # Started again it samples nothing and says the same.
  again = kill_harness.run(command, cache)
  assert again.returncode == 0, again.stderr
  assert "12 questions x 8 samples, 12 done" in again.stdout
  assert json.loads((out / "summary.json").read_text()) == summary


def test_a_changed_config_is_refused(whole, model, cache):
  command = _command("sample", whole, model, "--config.seed=1")
  before = kill_harness.contents(whole)
  done = kill_harness.run(command, cache)
  assert done.returncode == 2
  assert "seed" in done.stderr
  assert len(done.stderr.strip().splitlines()) == 1
  assert kill_harness.contents(whole) == before


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (("--config.samples=0",), "samples is 0"),
    (("--config.questions.count=501",), "from 0, which takes all, to 500"),
    (("--config.task=algebra",), "'algebra': must be one of arithmetic"),
    (("--config.sampler.temperature=-1.0",), "temperature"),
    (("--config.limits.max_tokens=90",), "exceed the model's 96 positions"),
    (("--config.limits.prompt_tokens=4",), "the prompt has"),
    (("--config.engine.batch=0",), "batch is 0"),
    (("--config.engine.groups=0",), "groups is 0"),
    (("--config.engine.rows=0",), "rows is 0"),
    (("--config.engine.steps=0",), "steps is 0"),
    (
      ("--config.task=jsonl", "--config.questions.path=missing.jsonl"),
      "missing.jsonl",
    ),
  ],
)
def test_bad_settings_end_in_one_line(tmp_path, model, cache, flags, message):
  done = kill_harness.run(
    _command("sample", tmp_path / "run", model, *flags), cache
  )
  assert done.returncode == 2, done.stderr
  assert message in done.stderr
  assert "Traceback" not in done.stderr


def test_a_wrong_flag_can_be_corrected_in_the_same_folder(
  tmp_path, model, cache
):
  out = tmp_path / "run"
  for flag in ("--config.samples=0", "--config.engine.rows=0"):
    assert (
      kill_harness.run(_command("sample", out, model, flag), cache).returncode
      == 2
    )
  done = kill_harness.run(_command("sample", out, model), cache)
  assert done.returncode == 0, done.stderr
  assert pool.load_pool(out).answers.shape == (12, 8)


def test_a_model_folder_of_two_models_is_refused(tmp_path, model, cache):
  broken = tmp_path / "model"
  broken.mkdir()
  for file in model.iterdir():
    (broken / file.name).write_bytes(file.read_bytes())
  config = json.loads((broken / "config.json").read_text())
  config["hidden_size"] *= 2
  (broken / "config.json").write_text(json.dumps(config))
  done = kill_harness.run(_command("sample", tmp_path / "run", broken), cache)
  assert done.returncode == 2, done.stderr
  assert "model.safetensors" in done.stderr
  assert "Traceback" not in done.stderr


def test_a_file_of_questions(tmp_path, model, cache):
  path = pathlib.Path(tmp_path / "questions.jsonl")
  lines = [{"problem": f"{i}+1=?", "result": str(i + 1)} for i in range(6)]
  path.write_text("".join(json.dumps(line) + "\n" for line in lines))
  done = kill_harness.run(
    _command(
      "sample",
      tmp_path / "run",
      model,
      "--config.task=jsonl",
      f"--config.questions.path={path}",
      "--config.questions.count=0",
      "--config.questions.question=problem",
      "--config.questions.answer=result",
      "--config.limits.prompt_tokens=64",
    ),
    cache,
  )
  assert done.returncode == 0, done.stderr
  assert pool.load_pool(tmp_path / "run").correct.shape == (6, 8)


def test_a_published_checkpoint_goes_through_the_same_engine(
  data_dir, tmp_path, cache
):
  out = tmp_path / "run"
  command = kill_harness.python(
    "-m",
    "launch.sample",
    f"--out={out}",
    f"--config.model={data_dir / 'models' / 'stories260K-hf'}",
    "--config.task=jsonl",
    f"--config.questions.path={data_dir / 'math' / 'math500_test.jsonl'}",
    "--config.questions.question=problem",
    "--config.questions.count=4",
    "--config.samples=3",
    "--config.limits.prompt_tokens=440",
    "--config.limits.max_tokens=24",
    "--config.engine.groups=2",
    "--config.engine.rows=2",
  )
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  rows = shards.read(out / pool.STAGE).to_pylist()
  assert len(rows) == 12
  # It tells stories, so nothing is right; but it is the model that speaks.
  assert {row["verdict"] for row in rows} <= {"wrong", "ungradable"}
  mean = np.mean([value for row in rows for value in row["logprobs"]])
  assert mean > -4, "worse than chance among 60 of its 512 tokens"
