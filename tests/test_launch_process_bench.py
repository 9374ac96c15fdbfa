"""ProcessBench from the command line, by verifiers of both kinds."""

import json

import kill_harness
import made_processbench
import numpy as np
import pytest
import tiny_prm

from tts_jax.scaling import processbench_summary, verification
from tts_jax.store import step_scores
from tts_jax.tasks import processbench
from tts_jax.verify import published


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  """Two files, and a published verifier."""
  root = tmp_path_factory.mktemp("process_bench")
  for name, count in (("gsm8k.json", 24), ("math.jsonl", 10)):
    rows = made_processbench.rows(name[:4], count, seed=count)
    made_processbench.write(root / name, rows)
  tiny_prm.save(root / "prm", "rlhflow")
  return root


def _command(out, *files, **settings):
  flags = [f"--config.{key}={value}" for key, value in settings.items()]
  named = ",".join(f"'{file}'" for file in files)
  return kill_harness.python(
    "-m",
    "launch.process_bench",
    f"--out={out}",
    f"--config.files=({named},)",
    "--config.batch=6",
    *flags,
  )


def _published(folder, out, *names, **settings):
  return _command(
    out,
    *(folder / name for name in names),
    **{"verifier": folder / "prm", "prm.format": "rlhflow"} | settings,
  )


def _run(command, cache):
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  return done


def _accuracies(predicted, label):
  found = verification.first_error(np.array(predicted), np.array(label))
  return found.erroneous, found.right, found.f1


@pytest.fixture(scope="module")
def finished(folder, cache):
  """A whole run over both files, what it printed, and its summary."""
  out = folder / "run"
  names = "gsm8k.json", "math.jsonl"
  said = _run(_published(folder, out, *names), cache).stdout
  # Read at once: another run there writes another.
  return out, said, json.loads((out / "summary.json").read_text())


def test_a_published_verifier_is_measured(folder, finished):
  out, said, summary = finished
  prm = published.load(folder / "prm", "rlhflow")
  subset = summary["subsets"]["math"]
  (threshold,) = subset["thresholds"]
  samples = processbench.read(folder / "math.jsonl")
  ids = [one.id for one in samples]
  score, count, tokens = step_scores.load(out, "math", ids)
  predicted = []
  for index, (row, steps) in enumerate(zip(score, count, strict=True)):
    if index < 3:
      one = samples[index]
      want, _ = published.score(prm, one.problem, list(one.steps))
      np.testing.assert_allclose(row[:steps], want, atol=1e-5)
    below = [step for step in range(steps) if row[step] < threshold]
    predicted.append(below[0] if below else -1)
  label = [one.label for one in samples]
  want = _accuracies(predicted, label)
  for name, value in zip(
    ("accuracy_erroneous", "accuracy_correct", "f1"), want, strict=True
  ):
    one = subset[name]
    assert one["mean"] == pytest.approx(value)
    assert one["low"] <= one["mean"] <= one["high"]
  assert subset["samples"] == 10
  assert subset["erroneous"] == 5
  assert subset["problems"] == 5
  assert subset["threshold_from"] == "gsm8k"
  assert subset["tokens_read"] == tokens > 0
  assert summary["subsets"]["gsm8k"]["threshold_from"] == "cross-fitted"
  assert summary["seed"] == 0
  assert summary["commit"]
  _, *lines, page = said.strip().splitlines()
  assert "\n".join(lines) == processbench_summary.headline(summary)
  assert len(lines) == 3
  assert page == str(out / "report.html")
  assert "<h1>First wrong steps" in (out / "report.html").read_text()


def test_another_threshold_and_fewer_files_need_no_scores_anew(
  folder, finished, cache
):
  out, _, _ = finished
  before = kill_harness.contents(out / "steps_math")
  command = _published(folder, out, "math.jsonl", threshold=0.5)
  said = _run(command, cache)
  assert "100%" in said.stderr
  assert "threshold 0.500 (given)" in said.stdout
  assert kill_harness.contents(out / "steps_math") == before
  subset = json.loads((out / "summary.json").read_text())["subsets"]["math"]
  samples = processbench.read(folder / "math.jsonl")
  score, count, _ = step_scores.load(out, "math", [one.id for one in samples])
  predicted = verification.first_below(score, count, 0.5)
  want = _accuracies(predicted, processbench.labels(samples))
  assert subset["f1"]["mean"] == pytest.approx(want[2])


def test_a_killed_run_goes_on_to_the_same_bytes(folder, finished, cache):
  whole, _, _ = finished
  out = folder / "killed"
  command = _published(folder, out, "gsm8k.json", "math.jsonl")

  def progress():
    return len(list(out.glob("steps_*/*.parquet")))

  kills = kill_harness.run_killed(
    command, [0.0, 0.0], progress=progress, env=cache
  )
  assert kills
  for name in ("steps_gsm8k", "steps_math"):
    stages = [kill_harness.contents(run / name) for run in (out, whole)]
    assert stages[0] == stages[1]


def test_the_packages_verifier_is_measured_by_halves(folder, cache):
  out = folder / "own"
  sizes = {"scoring.rows": 2, "scoring.length": 256}
  said = _run(_command(out, folder / "gsm8k.json", **sizes), cache).stdout
  summary = json.loads((out / "summary.json").read_text())
  (name,) = summary["subsets"]
  subset = summary["subsets"][name]
  assert subset["threshold_from"] == "cross-fitted"
  assert 1 <= len(subset["thresholds"]) <= 2
  assert subset["f1"]["mean"] == pytest.approx(summary["average_f1"])
  assert len(subset["curve"]["threshold"]) == len(subset["curve"]["f1"]) == 99
  samples = processbench.read(folder / "gsm8k.json")
  score, count, _ = step_scores.load(out, "gsm8k", [one.id for one in samples])
  assert count.tolist() == [len(one.steps) for one in samples]
  assert np.ptp(score[score > 0]) > 0.01
  assert said.splitlines()[1].startswith("gsm8k: F1 0.")


def test_what_does_not_go_together_is_refused(folder, cache):
  out = folder / "refused"

  def said(*names, **settings):
    done = kill_harness.run(_published(folder, out, *names, **settings), cache)
    assert done.returncode == 2
    return done.stderr

  found = said("gsm8k.json", "gsm8k.json")
  assert "2 files of 1 names; their names" in found
  found = said("gsm8k.json", verifier="")
  assert "give config.verifier, the folder of it" in found
  few = made_processbench.write(
    folder / "few.json", made_processbench.rows("few", 1)
  )
  assert "0 of 1 solutions in half of it have a wrong" in said(few.name)
  assert not out.exists()


def test_no_file_and_another_verifier_are_said(folder, finished, cache):
  done = kill_harness.run(
    kill_harness.python("-m", "launch.process_bench"), cache
  )
  assert done.returncode == 2
  assert "no file is given; give --config.files=" in done.stderr
  tiny_prm.save(folder / "other", "rlhflow", seed=1)
  # Another folder in the config is another config.
  command = _published(
    folder, finished[0], "math.jsonl", verifier=folder / "other"
  )
  done = kill_harness.run(command, cache)
  assert done.returncode == 2
  assert "verifier was" in done.stderr


def test_help_tells_what_is_needed(cache):
  done = kill_harness.run(
    kill_harness.python("-m", "launch.process_bench", "--help"), cache
  )
  for text in ("--config.files=", "--config.threshold=0.5", "summary.json"):
    assert text in done.stdout
