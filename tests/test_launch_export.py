"""A run's samples, written for others and replayed to the run's own numbers."""

import json

import kill_harness
import pytest
import replay_command

from tts_jax.store import pool
from tts_jax.tasks import replayed

# What a file of samples cannot hold: searches, and what tokens and models cost.
_MORE = {"ledger", "contrasts", "claims", "policy"}


@pytest.fixture(scope="module")
def searched(tmp_path_factory, cache):
  """A run of launch.search on word problems: (folder, exported file)."""
  out = tmp_path_factory.mktemp("search") / "run"
  command = kill_harness.python(
    "-m",
    "launch.search",
    f"--out={out}",
    "--config.questions.count=12",
    "--config.samples=8",
    "--config.search.methods=('beam_4',)",
    "--config.search.budgets=(4,)",
    "--config.search.seeds=1",
    "--config.search.tree.budget=4",
    "--config.search.tree.questions=1",
  )
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  file = out.parent / "exported" / "samples.jsonl"
  done = _export(out, file)
  assert done.returncode == 0, done.stderr
  told = done.stdout.splitlines()[1:]
  assert told == [f"12 questions x 8, scores: {file}"]
  return out, file


def _export(run, file):
  command = ("-m", "launch.export_samples", f"--run={run}", f"--out={file}")
  return kill_harness.run(kill_harness.python(*command), {})


def _leaves(found, path=()):
  if isinstance(found, dict | list):
    pairs = found.items() if isinstance(found, dict) else enumerate(found)
    for name, one in pairs:
      yield from _leaves(one, (*path, name))
  else:
    yield path, found


def _leaves_of(folder):
  return dict(_leaves(json.loads((folder / "summary.json").read_text())))


def _of_tokens_or_searches(path):
  name = "/".join(map(str, path))
  return path[1] in ("first_error", "auc_within_question_gain", "regimes") or (
    any(part in name for part in ("logprob", "beam", "flops", "/head/"))
  )


def test_a_search_is_replayed_to_the_same_numbers(searched, tmp_path, cache):
  run, file = searched
  done = replay_command.replay(tmp_path / "run", file, cache)
  assert done.returncode == 0, done.stderr
  assert "scores, graded in the file" in done.stdout
  want, have = _leaves_of(run), _leaves_of(tmp_path / "run")
  shared = {path for path in want if path in have and path[0] not in _MORE}
  kinds = {path[0] for path in shared}
  assert kinds >= {
    *("pass_at_k", "majority_at_k", "room", "bins", "groups", "verdicts"),
    *("truncated", "curves", "curves_by_bin", "curves_by_predicted_bin"),
    *("verifier", "weak_verifiers", "difficulty"),
  }
  for path in shared - {("commit",)}:
    number = isinstance(want[path], float)
    one = pytest.approx(want[path], abs=1e-6) if number else want[path]
    assert have[path] == one, path
  # Nothing else is told of the samples, by either.
  more = {path[0] for path in have if path not in want} - _MORE
  assert more == {"replayed"}
  for path in want:
    if path[0] in kinds and path not in have:
      assert _of_tokens_or_searches(path), path
  # The numbers are no noughts.
  assert 0.1 < want[("pass_at_1",)] < 0.9
  assert want["verifier", "auc"] > 0.6


def test_the_pools_are_the_same(searched, tmp_path, cache):
  run, file = searched
  done = replay_command.replay(tmp_path / "run", file, cache)
  assert done.returncode == 0, done.stderr
  one, other = pool.load_pool(run), pool.load_pool(tmp_path / "run")
  assert one.question_ids == other.question_ids
  assert one.groups == other.groups
  for name in ("uid", "answers", "correct", "ungradable", "finished"):
    assert (getattr(one, name) == getattr(other, name)).all(), name


def test_a_line_has_what_others_read(searched):
  _, file = searched
  lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
  assert len(lines) == 12
  for one in lines:
    assert {"problem", "answer", "id", "solution", "template"} <= set(one)
    assert one["completions"][0].count("####") <= 1
    for name in ("scores", "verdicts", "preds", "finished"):
      assert len(one[name]) == len(one["completions"]) == 8
    assert all(length > 0 for length in one["completion_tokens"])
    for said, right in zip(one["preds"], one["verdicts"], strict=True):
      assert (said is None) == (right is None)
      assert right is not True or said == one["answer"]
  # Nothing is left beside it.
  assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_is_written_is_read(tmp_path):
  lines = [
    one
    | {"preds": ["1", None] * 4, "verdicts": [True, False, None, False] * 2}
    | {"finished": [True, False] * 4, "id": f"number {number}"}
    for number, one in enumerate(replay_command.lines(questions=3))
  ]
  lines[1]["scores"][1] = []
  file = replay_command.write(tmp_path / "file.jsonl", lines)
  found = replayed.read(file)
  again = json.loads(json.dumps([replayed.record(one) for one in found]))
  assert again == lines
  bare = replayed.Replayed(
    question=found[0].question, completions=found[0].completions
  )
  assert "scores" not in replayed.record(bare)
  replay_command.write(tmp_path / "bare.jsonl", [replayed.record(bare)])
  (one,) = replayed.read(tmp_path / "bare.jsonl")
  assert one == bare


def test_what_has_no_samples_is_refused(searched, tmp_path, cache):
  run, file = searched
  replay = tmp_path / "replay"
  assert replay_command.replay(replay, file, cache).returncode == 0
  for folder, message in (
    (tmp_path / "nowhere", "config.json: no such file; expected"),
    (replay, "its config names no questions"),
    ("", "give both --run FOLDER and --out FILE"),
  ):
    done = _export(folder, tmp_path / "out.jsonl")
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
  changed = tmp_path / "changed"
  changed.mkdir()
  for path in run.iterdir():
    if path.name != "config.json":
      (changed / path.name).symlink_to(path)
  made = json.loads((run / "config.json").read_text())
  made["config"]["questions"]["count"] = 1
  (changed / "config.json").write_text(json.dumps(made))
  done = _export(changed, tmp_path / "out.jsonl")
  assert done.returncode == 2
  assert "is not among those of its config" in done.stderr
  assert not [path for path in tmp_path.iterdir() if "out.jsonl" in path.name]
