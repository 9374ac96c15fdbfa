"""Runs, models and questions in object storage, by a stand-in for a bucket.

What a real one adds, its protocol, credentials and delays, is not shown here,
nor training's states, which orbax writes by a way of its own.
"""

import contextlib
import io
import itertools
import json
import socket
import time

import jax
import kill_harness
import numpy as np
import pytest
import search_command
import stand_in_bucket

import tts_jax as tts
from tts_jax import errors, remote, storage
from tts_jax.model import huggingface
from tts_jax.store import (
  atomic,
  audit,
  lease,
  pool,
  run,
  scores,
  searches,
  shards,
)
from tts_jax.tasks import tokenization
from tts_jax.train import checkpoints, loop
from tts_jax.verify import saved

_STAND_IN = kill_harness.ROOT / "tests" / "stand_in_bucket.py"


@pytest.fixture(scope="module", autouse=True)
def bucket(tmp_path_factory):
  """The folder of the bucket's objects."""
  stand_in_bucket.register()
  folder = tmp_path_factory.mktemp("bucket")
  with pytest.MonkeyPatch.context() as patch:
    patch.setenv(stand_in_bucket.FOLDER, str(folder))
    patch.setattr(lease, "SETTLE", 0.0)
    yield folder


@pytest.fixture(scope="module")
def verifier(tmp_path_factory, model):
  """A verifier of the tiny model, as it is drawn."""
  folder = tmp_path_factory.mktemp("verifier")
  return search_command.draw_verifier(folder, model)


def _upload(folder, place):
  for path in folder.rglob("*"):
    if path.is_file():
      there = storage.at(f"{place}/{path.relative_to(folder)}")
      there.write_bytes(path.read_bytes())
  return place


def _remotely(command):
  """A launcher's command, its bucket the stand-in."""
  python, _, *launcher = command
  return [python, str(_STAND_IN), *launcher]


def _rows(folder, stage):
  return shards.read(storage.at(folder) / stage)


def _kill_and_go_on(command, out, stage, env):
  """Runs a launcher, kills it at a stage's third shard, and runs it again."""
  kill = {stand_in_bucket.KILL: f"{stage},3"}
  killed = kill_harness.run(command, {**env, **kill})
  assert killed.returncode == 137, killed.stderr
  found = (storage.at(out) / stage).iterdir()
  assert [shards.is_shard(path) for path in found] == [True, True]
  assert (storage.at(out) / ".lock").exists()  # And keeps nobody out.
  done = kill_harness.run(command, env)
  assert done.returncode == 0, done.stderr


def test_a_pool_from_a_bucket_into_one(tmp_path, bucket, model, cache):
  """Model and questions are there too; the rows are those of local ones."""
  lines = [
    json.dumps({"question": f"{a} + {b} =", "answer": str(a + b)})
    for a, b in itertools.product(range(1, 5), range(1, 4))
  ]
  file = tmp_path / "questions.jsonl"
  file.write_text("\n".join(lines))
  _upload(tmp_path, "gs://stand-in/data")
  _upload(model, "gs://stand-in/model")

  def command(out, folder, questions):
    return kill_harness.python(
      *("-m", "launch.sample", f"--out={out}"),
      *search_command.SMALL[:-2],
      *("--config.task=jsonl", "--config.questions.count=0"),
      f"--config.model={folder}",
      f"--config.questions.path={questions}",
    )

  local, out = tmp_path / "run", "gs://stand-in/runs/drawn"
  done = kill_harness.run(command(local, model, file), cache)
  assert done.returncode == 0, done.stderr
  there = command(
    out, "gs://stand-in/model", "gs://stand-in/data/questions.jsonl"
  )
  _kill_and_go_on(_remotely(there), out, pool.STAGE, cache)
  assert _rows(out, pool.STAGE).equals(_rows(local, pool.STAGE))
  assert not (storage.at(out) / ".lock").exists()
  # As a notebook reads it.
  found, wanted = tts.load_pool(out), tts.load_pool(local)
  np.testing.assert_array_equal(found.correct, wanted.correct)
  assert tts.open_run(out).samples.question_ids == wanted.question_ids


def test_a_sweep_into_a_bucket(tmp_path, bucket, model, verifier, cache):
  local, out = tmp_path / "run", "gs://stand-in/runs/swept"

  def command(folder):
    return search_command.command(
      *("search", folder, model, verifier, search_command.SEARCH),
      *("--config.search.methods=('beam_sqrt',)", "--config.search.seeds=1"),
      "--config.search.budgets=(4,)",
    )

  done = kill_harness.run(command(local), cache)
  assert done.returncode == 0, done.stderr
  there = _remotely(command(out))
  _kill_and_go_on(there, out, searches.STAGE, cache)
  for stage in (pool.STAGE, scores.STAGE, searches.STAGE):
    assert _rows(out, stage).equals(_rows(local, stage))
  found = storage.at(out)
  assert {path.name for path in found.iterdir()} == {
    path.name for path in local.iterdir()
  } - {".lock"}
  for page in ("report.html", "trees.html"):
    assert (found / page).read_text().endswith("</html>\n")
  parts = [
    *audit.stages(found, audit.wanted(found, searched=None)),
    *audit.files(found, without=()),
  ]
  assert len(parts) >= 4
  assert not [fault for part in parts for fault in part.faults]
  shard = next((found / pool.STAGE).iterdir())
  data = bytearray(shard.read_bytes())
  data[len(data) // 2] ^= 1
  shard.write_bytes(bytes(data))
  command = kill_harness.python("-m", "launch.verify_run", f"--run={out}")
  broken = kill_harness.run(_remotely(command), cache)
  assert broken.returncode == 1, broken.stderr
  assert f"{shard}: cut short or changed" in broken.stdout


@pytest.mark.parametrize(
  ("place", "said"),
  [
    ("gs://", "gs://: names no place; expected a local path, or gs://BUCKET"),
    ("ftp://host/run", "ftp://host/run: names no place; expected a local path"),
    ("gs://theirs/run", "gs://theirs/run: cannot be reached: Forbidden"),
  ],
)
def test_a_wrong_place_is_said(place, said):
  with pytest.raises(errors.InputError, match=said):
    run.Run.open(place, {})


def test_a_launcher_says_it_in_one_line(cache):
  command = kill_harness.python("-m", "launch.verify_run", "--run=gs://no/run")
  done = kill_harness.run(_remotely(command), cache)
  assert done.returncode == 2
  assert "gs://no/run: cannot be reached: Forbidden" in done.stderr
  assert len(done.stderr.splitlines()) == 1


def test_without_its_backend(monkeypatch):
  def absent(*_, **__):
    raise ImportError("Please install gcsfs")

  monkeypatch.setattr(remote, "_reached", set())
  monkeypatch.setattr(stand_in_bucket.Buckets, "info", absent)
  with pytest.raises(errors.InputError, match="takes `pip install gcsfs`"):
    storage.at("gs://stand-in/run")


def test_a_fault_of_the_network_is_no_absent_file(monkeypatch):
  path = storage.at("gs://stand-in/faults/config.json")

  def fault(*_, **__):
    raise OSError("the network is down")

  monkeypatch.setattr(stand_in_bucket.Buckets, "info", fault)
  asked = (path.exists, path.is_file, path.is_dir, lambda: [*path.iterdir()])
  for ask in asked:
    with pytest.raises(OSError, match="network is down"):
      ask()


def test_paths_answer_as_those_of_a_disk(tmp_path, bucket):
  for name in ("a.json", "b/c.json", "b/d/e.txt", "b/.hidden", "[f]/g.json"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(name)
  there = storage.at(_upload(tmp_path, "gs://stand-in/tree"))
  # As a console makes a folder.
  (bucket / "stand-in%2Ftree%2Fb%2F.object").write_bytes(b"")

  def names(paths, folder):
    return sorted(str(path.relative_to(folder)) for path in paths)

  for pattern in ("*", "*.json", "*/*", "b/*", "none/*"):
    wanted = names(tmp_path.glob(pattern), tmp_path)
    assert names(there.glob(pattern), there) == wanted
  for pattern in ("*", "*.json"):
    wanted = names(tmp_path.rglob(pattern), tmp_path)
    assert names(there.rglob(pattern), there) == wanted
  for name in ("a.json", "b", "b/d/e.txt", "absent", "absent/b"):
    here, far = tmp_path / name, there / name
    asked = ("exists", "is_file", "is_dir")
    assert [getattr(far, one)() for one in asked] == [
      getattr(here, one)() for one in asked
    ]
    if here.is_file():
      assert far.stat().st_size == here.stat().st_size
      assert atomic.file_hash(far) == atomic.file_hash(here)
  assert storage.at(there) == there
  assert not list((there / "absent").iterdir())


def test_nothing_is_renamed_or_appended(tmp_path):
  path = storage.at("gs://stand-in/one/file")
  path.write_bytes(b"first")
  for refused in (path.rename, path.replace):
    with pytest.raises(io.UnsupportedOperation, match="renames nothing"):
      refused(path.with_name("other"))
  with pytest.raises(NotImplementedError):
    path.open("a")
  with contextlib.suppress(RuntimeError), atomic.writing(path) as file:
    file.write(b"sec")
    raise RuntimeError
  assert path.read_bytes() == b"first"
  atomic.write_json(path, [1])
  assert json.loads(path.read_text()) == [1]


def test_one_process_writes_a_run():
  place = "gs://stand-in/runs/held"
  first = run.Run.open(place, {"a": 1})
  with pytest.raises(errors.InputError, match=r"process \d+ of .* is writing"):
    run.Run.open(place, {"a": 1})
  with (
    pytest.raises(errors.InputError, match="is writing this run"),
    run.reading(place),
  ):
    pass
  first.close()
  first.close()
  with run.reading(place) as folder:
    assert [path.name for path in folder.iterdir()] == ["config.json"]
  with run.Run.open(place, {"a": 2}) as other:  # Nothing was made with 1.
    other.stage("pool", pool.SCHEMA, "").write(0, pool.SCHEMA.empty_table())
  with pytest.raises(errors.InputError, match="made with another config"):
    run.Run.open(place, {"a": 1})
  assert not (storage.at(place) / ".lock").exists()


def _left(path, **changed):
  """The lease that a process left at `path`."""
  dead = kill_harness.start(kill_harness.python("-c", ""), {})
  dead.communicate()
  record = {"host": lease._host(), "process": dead.pid}
  atomic.write_json(
    path, {**record, "token": "", "time": time.time(), **changed}
  )


def test_what_a_killed_process_held_is_taken_up():
  path = storage.at("gs://stand-in/leases/.lock")
  _left(path)
  lease.Lease(path).release()
  _left(path, host="elsewhere")
  with pytest.raises(
    errors.InputError, match=r"of elsewhere .* again in 1\d\d s"
  ):
    lease.Lease(path)
  _left(path, host="elsewhere", time=time.time() - lease.STALE - 1)
  lease.Lease(path).release()
  path.write_bytes(b"")  # As a run on a disk has it, and all that is copied.
  lease.Lease(path).release()
  assert not path.exists()


def test_of_two_at_once_one_writes(monkeypatch):
  path = storage.at("gs://stand-in/leases/both")
  monkeypatch.setattr(
    lease.time, "sleep", lambda _: _left(path, host="elsewhere")
  )
  with pytest.raises(errors.InputError, match="of elsewhere is writing"):
    lease.Lease(path)
  assert json.loads(path.read_bytes())["host"] == "elsewhere"


def test_a_start_that_fails_leaves_no_lease(monkeypatch):
  monkeypatch.setattr(lease.time, "sleep", None)
  path = storage.at("gs://stand-in/leases/interrupted")
  with pytest.raises(TypeError):
    lease.Lease(path)
  assert not path.exists()


def test_another_boot_of_a_host_is_another_host():
  path = storage.at("gs://stand-in/leases/rebooted")
  _left(path, host=f"{socket.gethostname()} another-boot pid:[1]")
  with pytest.raises(errors.InputError, match=f"of {socket.gethostname()} is"):
    lease.Lease(path)


def test_a_lease_is_renewed_until_another_takes_it(monkeypatch, capfd):
  monkeypatch.setattr(lease, "BEAT", 0.01)
  path = storage.at("gs://stand-in/leases/beating")
  held = lease.Lease(path)
  first = path.read_bytes()
  while path.read_bytes() == first:
    time.sleep(0.01)
  _left(path, host="elsewhere")
  held._beating.join()
  assert "is no longer this process's" in capfd.readouterr().err
  held.release()
  assert json.loads(path.read_bytes())["host"] == "elsewhere"


def test_models_go_into_a_bucket_and_come_back(model, verifier):
  place = "gs://stand-in/models/tiny"
  lm, params = huggingface.load(model)
  tokenization.load(model).save(storage.at(place))
  huggingface.save(place, lm, params, max_shard_bytes=4000)
  found, there = tts.load_model(place)
  assert found == lm
  jax.tree.map(np.testing.assert_array_equal, there, params)
  assert tts.load_tokenizer(place).digest == tokenization.load(model).digest
  judge, head = saved.load(verifier)
  saved.save("gs://stand-in/models/judge", judge, head, saved.origin(model))
  again, other = saved.load("gs://stand-in/models/judge")
  assert again == judge
  jax.tree.map(np.testing.assert_array_equal, other, saved.load(verifier)[1])
  with pytest.raises(errors.InputError, match="no such folder; give that"):
    tts.load_model("gs://stand-in/models/absent")


def test_metrics_go_on_without_appending(tmp_path):
  paths = [tmp_path / "m.jsonl", storage.at("gs://stand-in/metrics/m.jsonl")]
  for path in paths:
    loop.Metrics(path, 0).write(step=1, loss=2.0)
    metrics = loop.Metrics(path, 1)
    metrics.write(step=2, loss=1.0)
    metrics.write(step=3, loss=0.5)
    loop.Metrics(path, 2)
  assert paths[0].read_text() == paths[1].read_text()
  assert paths[0].read_text().count("\n") == 2


def test_a_state_without_its_last_file_is_none():
  folder = storage.at("gs://stand-in/states")
  for name in ("5/state/x", "5/commit_success.txt", "10/state/x"):
    (folder / name).write_bytes(b"")
  assert checkpoints.states(folder) == [folder / "5"]


def test_no_name_of_a_place_becomes_a_path_of_a_disk():
  """`pathlib.Path("gs://a")` is a folder "gs:", and no fault."""
  local = {
    "tts_jax/storage.py",
    "tts_jax/store/lease.py",
    "tts_jax/remote.py",
    "launch/bench_peers.py",
    "launch/circumstances.py",
    "launch/config_comments.py",
    "launch/config_file.py",
    "launch/entry.py",
    "launch/shared_run.py",
    "launch/topologies.py",
  }
  for folder in ("tts_jax", "launch"):
    for path in sorted((kill_harness.ROOT / folder).rglob("*.py")):
      name = str(path.relative_to(kill_harness.ROOT))
      if name in local or name.startswith("launch/tpu/"):
        continue
      for line in path.read_text().splitlines():
        taken = line.replace("pathlib.Path(__file__)", "")
        taken = taken.replace("pathlib.Path()", "")
        doctest = ">>>" in line
        found = "pathlib.Path(" in taken or "map(pathlib.Path" in taken
        assert doctest or not found, f"{name}: {line}"
