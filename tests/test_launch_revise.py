"""The launcher of chains, killed and misused, and models side by side."""

import collections
import json
import shutil

import kill_harness
import pyarrow as pa
import pytest
import revise_command

from configs import reproduce
from launch import planning
from tts_jax import errors
from tts_jax.revise import stream
from tts_jax.store import chains, pool, run, shards, trajectories
from tts_jax.tasks import tokenization


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


def test_own_chains_are_trajectories(tmp_path, model, cache):
  drawn, source = tmp_path / "drawn", tmp_path / "source"
  done = kill_harness.run(revise_command.revise(model, drawn), cache)
  assert done.returncode == 0, done.stderr
  build = kill_harness.python(
    "-m",
    "launch.build_revisions",
    f"--config.model={model}",
    "--config.engine.batch=4",
  )

  def make(out, source, natural):
    flags = f"--out={tmp_path / out}", f"--config.source={source}"
    share = f"--config.natural={natural}"
    return kill_harness.run([*build, *flags, share], cache)

  # The tiny model is never right.
  done = make("none", drawn, 0.0)
  assert done.returncode == 2
  assert "no chain has a right answer among its first 5" in done.stderr
  rows = shards.read(drawn / chains.STAGE).to_pylist()
  for row in rows:
    right = row["finished"] and row["turn"] == row["chain"]
    row["verdict"] = "correct" if right else "wrong"
  with run.Run.open(source, {}) as folder:
    stage = folder.stage(chains.STAGE, chains.SCHEMA, "inputs")
    stage.write(0, pa.Table.from_pylist(rows, chains.SCHEMA))
  done = make("early", source, 0.0)
  assert done.returncode == 2
  assert "chains.json: no such file" in done.stderr
  shutil.copy(drawn / chains.SUMMARY, source)
  done = make("made", source, 0.5)
  assert done.returncode == 2
  assert "natural is 0.5; of chains it must be 1" in done.stderr
  done = make("made", source, 0.0)
  assert done.returncode == 0, done.stderr
  found = trajectories.load_trajectories(tmp_path / "made")
  sizes = collections.Counter(len(one.context) for one in found)
  assert len(set(sizes.values())) == 1
  summary = json.loads((tmp_path / "made" / trajectories.SUMMARY).read_text())
  rights = sum(row["verdict"] == "correct" for row in rows)
  assert summary["chains"] == 18
  assert summary.get("without_correct", 0) == 18 - rights
  made = json.loads((drawn / chains.SUMMARY).read_text())
  assert summary["origin"] == made["origin"]
  done = make("natural", source, 1.0)
  assert done.returncode == 0, done.stderr
  found = trajectories.load_trajectories(tmp_path / "natural")
  assert len(found) == rights


def test_chains_of_one_answer_are_samples_of_the_model(tmp_path, model, cache):
  out = tmp_path / "chains"
  done = kill_harness.run(
    revise_command.revise(model, out, "--config.length=1"), cache
  )
  assert done.returncode == 0, done.stderr
  shared = [
    flag
    for flag in revise_command.FLAGS
    if not flag.startswith(
      ("--config.chains", "--config.length", "--config.revision")
    )
  ]
  done = kill_harness.run(
    kill_harness.python(
      "-m",
      "launch.sample",
      f"--out={tmp_path / 'pool'}",
      f"--config.model={model}",
      "--config.samples=3",
      *shared,
    ),
    cache,
  )
  assert done.returncode == 0, done.stderr
  names = ("question_id", "sample", "tokens", "text", "answer", "verdict")
  ours = shards.read(out / chains.STAGE, names)
  assert ours.num_rows == 18
  assert ours.equals(shards.read(tmp_path / "pool" / pool.STAGE, names))


def test_a_solution_that_grows_when_encoded_is_not_given(model):
  tokenizer = tokenization.load(model)
  # Half a sign of two bytes: what is read back is the sign of three.
  half = tokenizer.encode("\u00e9")[:1]
  text = tokenizer.decode([*tokenizer.encode("7"), *half])
  found = stream.given_answer(text, tokenizer, 9)
  assert len(found) == 5
  assert tokenizer.decode(found) == text
  assert stream.given_answer(text, tokenizer, 5) == found
  assert stream.given_answer(text, tokenizer, 4) == []
  assert stream.given_answer("", tokenizer, 4) == [tokenizer.end_token]
  assert stream.given_answer(None, tokenizer, 4) == []


@pytest.mark.parametrize(
  ("budgets", "message"),
  [
    ((), r"config.revision.budgets is \(\); 1, a first"),
    ((4, 8), r"config.revision.budgets is \(4, 8\); 1, a first"),
    ((1, 3), "a budget of 3"),
  ],
)
def test_budgets_of_revisions_that_cannot_be(budgets, message):
  config = reproduce.get_config()
  config.search.methods = ("revisions",)
  config.revision.budgets = budgets
  with pytest.raises(errors.InputError, match=message):
    planning.revision_lengths(config)


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
