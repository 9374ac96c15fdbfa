"""Every launcher of a run says what it would do, and does nothing."""

import importlib.util
import json
import re

import kill_harness
import made_processbench
import pytest
import search_command

from configs import subset
from launch import costing, estimating, outlook, progress
from tts_jax.store import manifest, run

_LAUNCH = kill_harness.ROOT / "launch"
# What has no folder to write: the first two say what is, the last compiles.
_OTHERS = {"memory", "verify_run", "compile_for_tpu"}
_QUESTIONS = "--config.questions.count=6"
# What each needs beside --out, where it is more than its defaults.
_FLAGS = {
  "build_revisions": (_QUESTIONS,),
  "label_steps": (_QUESTIONS,),
  "revise": (_QUESTIONS,),
  "compare_revisions": ("--run=a={given}", "--run=b={given}"),
  "compare_verifiers": ("--run=a={given}", "--run=b={given}"),
  "export_samples": ("--run={given}",),
  "figures": ("--run={given}",),
  "pack_run": ("--run={given}",),
  "process_bench": ("--config.files=('{given}/bench.json',)",),
  "train_difficulty": (
    "--config.pools=('{given}',)",
    "--config.held_out={given}",
  ),
  "replay": ("--config.file={given}/samples.jsonl",),
  "solve": ("--question=Tom has 3 apples. How many has he?",),
}
# Those whose work passes no token through a model.
_WITHOUT_MODEL = {
  *("compare_revisions", "compare_verifiers", "export_samples", "figures"),
  *("make_questions", "pack_run", "replay"),
}
# Packages that launchers import, and the extras that have them.
_NEEDS = {
  "bench_peers": ("torch", "needs the extra bench"),
  **dict.fromkeys(
    ("build_revisions", "label_steps", "make_questions"),
    ("reasoning_gym", "needs the extra data"),
  ),
}


def _launchers():
  found = {
    path.stem
    for path in _LAUNCH.glob("*.py")
    if "entry.run(main" in path.read_text()
  }
  return sorted(found - _OTHERS)


@pytest.fixture(scope="module")
def given(tmp_path_factory):
  """A folder with what launchers read."""
  folder = tmp_path_factory.mktemp("given")
  manifest.claim(folder / run.CONFIG_FILE, subset.get_config().to_dict())
  (folder / "summary.json").write_text("{}")
  (folder / "pool.json").write_text(json.dumps({"questions": 150}))
  made_processbench.write(
    folder / "bench.json", made_processbench.rows("bench", 40)
  )
  line = {"problem": "1+1?", "answer": "2", "completions": ["2", "3"]}
  (folder / "samples.jsonl").write_text(json.dumps(line))
  return folder


def _run(launcher, out, *arguments):
  command = ("-m", f"launch.{launcher}", f"--out={out}", *arguments)
  return kill_harness.run(kill_harness.python(*command), {})


@pytest.mark.parametrize("launcher", _launchers())
def test_a_launcher_says_what_it_would_do(launcher, tmp_path, given):
  if launcher in _NEEDS:
    package, reason = _NEEDS[launcher]
    if importlib.util.find_spec(package) is None:
      pytest.skip(reason)
  out = tmp_path / "there" / "run"
  flags = [flag.format(given=given) for flag in _FLAGS.get(launcher, ())]
  before = kill_harness.contents(given)
  done = _run(launcher, out, "--dry_run", *flags)
  assert done.returncode == 0, done.stderr
  first, *_, left = done.stdout.strip().splitlines()
  assert first == f"to {out}, new:"
  taken = re.search(r"([\d,]+) bytes  in all", done.stdout)[1]
  cost = re.search(r"at most (\S+) tokens and (\S+) FLOPs", left)
  numbers = int(taken.replace(",", "")), float(cost[1]), float(cost[2])
  assert min(numbers) >= 0
  assert all(numbers) == (launcher not in _WITHOUT_MODEL)
  assert not out.parent.exists()
  assert kill_harness.contents(given) == before


def test_the_first_line_says_it_in_short(tmp_path, model):
  verifier = search_command.draw_verifier(tmp_path / "verifier", model)
  command = search_command.command(
    "score", tmp_path / "run", model, verifier, search_command.SMALL
  )
  done = kill_harness.run(command, {})
  assert done.returncode == 0, done.stderr
  assert done.stdout.splitlines()[0].startswith(
    f"to {tmp_path / 'run'}: samples: 6 questions x 8, 0% done; scores: 6"
    " questions x 8, 0% done; at most "
  )
  # Once more, all is there; and a folder that is there stays as it is.
  before = kill_harness.contents(tmp_path / "run")
  done = kill_harness.run([*command, "--dry_run"], {})
  assert f"to {tmp_path / 'run'}, there:" in done.stdout
  assert "samples: 6 questions x 8, 100% done" in done.stdout
  assert "at most 0 tokens and 0 FLOPs" in done.stdout.splitlines()[-1]
  assert kill_harness.contents(tmp_path / "run") == before


def test_an_outlook_adds_up_what_is_left(capsys, monkeypatch):
  monkeypatch.setattr(
    outlook.flags, "FLAGS", type("Flags", (), {"dry_run": False})
  )
  first = outlook.Part("a", "3", 100, 1e6, 60.0, "as on two cores", 0.5)
  outlook.begin("runs/x", first, outlook.Part("b", "4", 10, 1e3, 180.0))
  said = capsys.readouterr().out
  assert said == (
    "to runs/x: a: 3, 50% done; b: 4, 0% done; at most 60 tokens and 5e+05"
    " FLOPs; about 4 min (as on two cores)\n"
  )
  outlook.begin("runs/x", first)
  assert "FLOPs; under a minute (as on" in capsys.readouterr().out
  unknown = outlook.Part("c", "5", None, seconds=None)
  outlook.begin("runs/x", first, unknown)
  said = capsys.readouterr().out
  assert "without c; no rate of c has been measured" in said


def test_work_is_counted_at_the_limits():
  config = subset.get_config()
  config.questions.count, config.samples = 5, 7
  samples, scores, searches, revisions, _ = estimating.parts(config, "x", 5)
  each = config.limits.prompt_tokens + 7 * config.limits.max_tokens
  assert samples.tokens == scores.tokens == 5 * each
  network = costing.generator(config)
  least = 2 * network.parameters * samples.tokens
  assert least < samples.flops < 1.5 * least
  # A verifier reads what the model has read once more.
  assert scores.flops > samples.flops
  assert searches.flops > 0 < revisions.flops


def test_the_rate_of_what_is_done_counts(tmp_path):
  part = outlook.Part("samples", "x", 10, 10.0, seconds=1.0, done=0.25)
  assert progress.measured(str(tmp_path), part).seconds == 1.0
  (tmp_path / "usage.json").write_text(json.dumps({"seconds": 30.0}))
  assert progress.measured(str(tmp_path), part).seconds == 120.0
  for step in ("3", "12", "tmp"):
    (tmp_path / run.CHECKPOINTS / step).mkdir(parents=True)
  assert progress.reached(str(tmp_path)) == 12
  assert progress.reached(str(tmp_path / "none")) == 0
  (tmp_path / "pool").mkdir()
  for name in ("00000-0123456789abcdef.parquet", "other.parquet"):
    (tmp_path / "pool" / name).write_text("")
  assert progress.done(str(tmp_path), "pool", 4) == 0.25
