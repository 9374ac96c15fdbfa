"""The launcher of difficulty heads, from the command line, and misused."""

import dataclasses
import json

import kill_harness
import numpy as np
import pytest

from tts_jax.store import pool, run, trajectories
from tts_jax.tasks import training
from tts_jax.verify import saved, saved_difficulty

_TASK = "arithmetic"


def _write_pool(folder, model, split, count, *, seed=0, origin=None):
  """Four samples a question, right where its text is short."""
  wanted = {"split": split, "count": count}
  config = {"task": _TASK, "questions": wanted, "seed": seed}
  _, questions = training.draw(_TASK, **wanted, seed=seed)
  columns = {name: [] for name in pool.SCHEMA.names if name != "logprob"}
  for question in questions:
    for sample in range(4):
      row = dict(
        question_id=question.id,
        uid=question.uid,
        sample=sample,
        text="",
        tokens=[0],
        logprobs=[-0.5],
        step_min_logprob=[-0.5],
        answer="1",
        verdict="correct" if len(question.text) < 12 + 2 * sample else "wrong",
        finished=True,
      )
      for name, value in row.items():
        columns[name].append(value)
  with run.Run.open(folder, config) as opened:
    opened.stage(pool.STAGE, pool.SCHEMA, "0").write(0, pool.table(**columns))
    made = dataclasses.asdict(origin or saved.origin(model))
    opened.write_json(trajectories.SUMMARY, {"origin": made})
  return folder


@pytest.fixture(scope="module")
def pools(tmp_path_factory, model):
  folder = tmp_path_factory.mktemp("pools")
  sizes = (("train", "train", 300), ("held_out", "validation", 60))
  return [
    _write_pool(folder / name, model, split, n) for name, split, n in sizes
  ]


def _command(model, train, held_out, out, *more):
  return kill_harness.python(
    "-m",
    "launch.train_difficulty",
    f"--out={out}",
    f"--config.task={_TASK}",
    f"--config.model={model}",
    f"--config.pools=('{train}',)",
    f"--config.held_out={held_out}",
    "--config.data.rows=20",
    "--config.data.prompts=16",
    "--config.head.tap=1",
    "--config.optimizer.learning_rate=0.02",
    "--config.schedule.steps=200",
    "--config.schedule.validate_every=20",
    *more,
  )


def test_a_head_is_trained_twice_the_same(tmp_path, model, pools, cache):
  for name in ("one", "two"):
    command = _command(model, *pools, tmp_path / name)
    done = kill_harness.run(command, cache)
    assert done.returncode == 0, done.stderr
    assert "rank correlation" in done.stdout
  one, two = (
    {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.*")}
    for name in ("one", "two")
  )
  assert one == two
  head, params = saved_difficulty.load(tmp_path / "one", saved.origin(model))
  assert head.tap is None
  assert np.abs(params["head"]["logit"]["kernel"]).max() > 0
  card = json.loads(one[saved_difficulty.CARD])
  reached = card["reached"]
  assert reached["best_loss"] < reached["constant_loss"]
  assert reached["rank_correlation"]["low"] > 0.2


def test_what_is_no_pool_to_train_on_is_refused(tmp_path, model, pools, cache):
  train, held_out = pools
  other = saved.Origin(tokenizer=saved.origin(model).tokenizer, model="cc33")
  foreign = _write_pool(
    tmp_path / "foreign", model, "train", 4, seed=1, origin=other
  )
  reported = _write_pool(tmp_path / "reported", model, "train", 4, seed=1)
  (reported / trajectories.SUMMARY).unlink()
  moved = _write_pool(tmp_path / "moved", model, "train", 4, seed=1)
  record = json.loads((moved / run.CONFIG_FILE).read_text())
  record["config"]["seed"] = 2
  (moved / run.CONFIG_FILE).write_text(json.dumps(record))
  for pair, message in (
    ((foreign, held_out), "reads the states of model cc33"),
    ((reported, held_out), "trajectories.json: no such file"),
    ((moved, held_out), "of the pool is none of its task's"),
    ((train, train), "is training question"),
    ((tmp_path / "none", held_out), "no such file; expected"),
  ):
    done = kill_harness.run(_command(model, *pair, tmp_path / "out"), cache)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
  assert not (tmp_path / "out").exists()
