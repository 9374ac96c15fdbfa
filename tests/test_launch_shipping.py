"""A run that is packed, and taken up by another run of its config."""

import json

import kill_harness
import ml_collections
import numpy as np
import pytest
import search_command

from launch import shipping
from tts_jax.store import chains, packed, pool, scores, searches, shards

_CONFIG = f"--config={kill_harness.ROOT / 'configs' / 'search.py'}"
_DRAWN = (pool.STAGE, scores.STAGE, chains.STAGE, chains.OF_SEARCH)


def _command(out, model, verifier, *flags):
  command = search_command.command(
    "reproduce", out, model, verifier, search_command.SMALL, *flags
  )
  command.insert(command.index(f"--out={out}"), _CONFIG)
  return [
    *command,
    "--config.questions.count=10",
    "--config.search.methods=('beam_4','revisions')",
    "--config.search.budgets=(1,8)",
    "--config.search.seeds=1",
    "--config.search.rows=8",
    "--config.search.step_tokens=5",
    "--config.search.tree.questions=1",
    "--config.revision.budgets=(1,4,16)",
    "--config.revision.window=2",
    "--config.revision.context_tokens=36",
    "--config.revision.rebuilt=2",
    f"--config.revision.model={model}",
    f"--config.revision.verifier={verifier}",
  ]


@pytest.fixture(scope="module", name="made")
def fixture_made(tmp_path_factory, model, cache):
  """A whole run, packed, and its verifier."""
  folder = tmp_path_factory.mktemp("made")
  verifier = search_command.draw_verifier(folder / "verifier", model)
  command = _command(folder / "run", model, verifier, "--full")
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  pack = ("-m", "launch.pack_run", f"--run={folder / 'run'}")
  out = f"--out={folder / 'packed'}"
  done = kill_harness.run(kill_harness.python(*pack, out), cache)
  assert done.returncode == 0, done.stderr
  assert done.stdout.count(".parquet\n") == 8
  return folder


def _summary(out):
  return json.loads((out / "summary.json").read_text())


def test_what_is_packed_is_not_drawn_again(tmp_path, made, model, cache):
  out, shipped = tmp_path / "again", f"--shipped={made / 'packed'}"
  command = _command(out, model, made / "verifier", shipped)
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  assert "--full draws all anew" in done.stdout
  before, after = _summary(made / "run"), _summary(out)
  assert before.pop("shipped") == {}
  told = after.pop("shipped")
  assert told["commit"] == after["commit"] == before["commit"]
  assert set(told["stages"]) == {
    *_DRAWN,
    searches.STAGE,
    *("scores_alone", "scores_prm", chains.SCORES_OF_SEARCH),
  }
  assert before == after
  for stage in _DRAWN:
    old, new = (shards.read(run / stage) for run in (made / "run", out))
    for name in set(old.column_names) - {"logprobs", "step_min_logprob"}:
      assert old[name].to_pylist() == new[name].to_pylist()
  # Of the searches the smallest alone were left out, and drawn again.
  found = packed.load(made / "packed")
  assert found.stages[searches.STAGE] == 5
  for old, new in zip(
    *(searches.load_searches(run).items() for run in (made / "run", out)),
    strict=True,
  ):
    assert old[0] == new[0]
    np.testing.assert_array_equal(old[1].score, new[1].score)

  # What was not drawn is not passed off as drawn.
  command = _command(out, model, made / "verifier", "--full")
  done = kill_harness.run(command, cache)
  assert done.returncode == 2
  assert "filled with what the package ships" in done.stderr
  done = kill_harness.run([*command, shipped], cache)
  assert done.returncode == 2
  assert "--shipped names what need not be drawn" in done.stderr


def test_a_packed_run_of_another_config_is_left_alone(
  tmp_path, made, model, cache
):
  out, shipped = tmp_path / "run", f"--shipped={made / 'packed'}"
  flags = (shipped, "--config.verifier=none", "--config.exchange.pool=none")
  command = _command(out, model, made / "verifier")
  done = kill_harness.run([*command, *flags], cache)
  assert done.returncode == 0, done.stderr
  _, second, *_ = done.stdout.splitlines()
  assert second.startswith("all is drawn anew, as what ships is of another")
  assert second.endswith('exchange.pool was "", is now "none"')
  assert _summary(out)["shipped"] == {}


def test_a_key_that_came_later_makes_no_difference(made, tmp_path):
  folder = _copied(made, tmp_path, lambda record: record["config"].pop("seed"))
  config = ml_collections.ConfigDict(packed.load(made / "packed").config)
  assert shipping.find(config, folder)[0] is not None
  config.seed = 1
  assert shipping.find(config, folder)[0] is None


def _copied(made, tmp_path, change):
  """The packed run with another manifest."""
  folder = tmp_path / "packed"
  folder.mkdir()
  for path in (made / "packed").iterdir():
    (folder / path.name).write_bytes(path.read_bytes())
  manifest = folder / "packed.json"
  record = json.loads(manifest.read_text())
  change(record)
  manifest.write_text(json.dumps(record))
  return folder


def test_a_packed_run_of_other_models_is_refused(tmp_path, made, model, cache):
  folder = _copied(
    made, tmp_path, lambda one: one["made_for"].update(verifier="0" * 16)
  )
  out = tmp_path / "run"
  shipped = f"--shipped={folder}"
  done = kill_harness.run(
    _command(out, model, made / "verifier", shipped), cache
  )
  assert done.returncode == 2
  assert "drawn with another config.verifier" in done.stderr
  assert not (out / pool.STAGE).exists()
