"""What is best at which budget, from samples that somebody else made."""

import json

import kill_harness
import pytest
import replay_command

from tts_jax import errors
from tts_jax.report import paper_figures
from tts_jax.scaling import plans, policy_file
from tts_jax.store import atomic

_ESTIMATES = {"none", "oracle", "predicted", "first_4"}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
  path = tmp_path_factory.mktemp("file") / "samples.jsonl"
  return replay_command.write(path, replay_command.lines(questions=20))


@pytest.fixture(scope="module")
def run(tmp_path_factory, file, cache):
  out = tmp_path_factory.mktemp("replay") / "run"
  done = replay_command.replay(out, file, cache)
  assert done.returncode == 0, done.stderr
  return out


@pytest.fixture(scope="module")
def summary(run):
  return json.loads((run / "summary.json").read_text())


def _keys(found):
  if isinstance(found, dict):
    yield from found
  inner = found.values() if isinstance(found, dict) else found
  if isinstance(found, dict | list):
    for one in inner:
      yield from _keys(one)


def test_what_needs_no_model_is_told(summary, file):
  assert summary["replayed"] == {
    "file": str(file),
    "hash": atomic.file_hash(file),
  }
  found = summary["difficulty"]
  assert set(found["estimates"]) == _ESTIMATES
  assert found["estimates"]["first_4"]["generations"] == 4
  policy = summary["policy"]["families"]["search"]
  assert set(policy) == _ESTIMATES
  for by_unit in policy.values():
    assert set(by_unit) == {"generations"}
    assert set(by_unit["generations"]) == {"1", "2", "4", "8"}
  chosen = {
    label.partition("@")[0]
    for one in policy["predicted"]["generations"].values()
    for by_bin in one["chosen"]
    for label in by_bin
  }
  assert chosen <= set(plans.CHOICES)
  # What is not known is not told, not even as nought.
  assert "flops" not in set(_keys(summary))
  assert "ledger" not in summary
  whole = summary["verifier"]["curves"]
  for name in plans.CHOICES:
    for n, one in whole[name].items():
      assert summary["curves"][name][n] == pytest.approx(one, abs=1e-9)
  for bins in ("curves_by_bin", "curves_by_predicted_bin"):
    assert len(summary[bins]) == 5
    assert set(summary[bins][0]) == set(plans.CHOICES)


def test_the_page_has_the_policy(run):
  page = (run / "report.html").read_text()
  for heading in ("Difficulty", "Compute-optimal policy", "Weak verifiers"):
    assert f"<h2>{heading}</h2>" in page
  assert "FLOPs" not in page
  assert "Search against the verifier" not in page


@pytest.mark.parametrize("name", ["policy.json", "policy_average.json"])
def test_its_policies_are_of_the_file_and_of_no_model(run, file, name):
  found = policy_file.load(run / name)
  assert found.made_for == policy_file.MadeFor(
    tokenizer="", model="", verifier="", samples=atomic.file_hash(file)
  )
  assert found.difficulty == "first_4"
  assert found.averaged == (name == "policy_average.json")
  for by_budget in found.choices:
    for one in by_budget:
      assert isinstance(one.plan, plans.Sampled)
      assert one.flops is None
      assert one.generations <= 8
  here = policy_file.MadeFor(tokenizer="t", model="m", verifier="v")
  with pytest.raises(errors.InputError, match="measured on a file of samples"):
    policy_file.load(run / name, here)


def test_figures_are_drawn_or_missed_aloud(run):
  command = kill_harness.python("-m", "launch.figures", f"--run={run}")
  done = kill_harness.run(command, {})
  assert done.returncode == 0, done.stderr
  stems = {path.stem for path in (run / "figures").glob("*.svg")}
  assert stems == {
    "figure_03_search_methods",
    "figure_03_search_by_bin",
    "figure_04_compute_optimal_search",
    "figure_11_search_by_predicted_bin",
    "figure_13_aggregations",
    "best_of_n_by_model",
    "weak_verifiers",
    "difficulty",
    "policy",
    "policy_average",
  }
  _, *lines = done.stdout.splitlines()
  # Transcripts are two pages.
  assert len(lines) == len(paper_figures.FIGURES) + 1
  missed = [line for line in lines if "svg" not in line]
  assert len(missed) == len(lines) - len(stems)
  for line in missed:
    assert "the replayed file tells no more; with a model: python -m" in line
    assert str(run / "FOLDER") not in line
  (one,) = [line for line in missed if " exchange:" in line]
  assert "lacks exchange.families, exchange.forms; the replayed" in one
  assert one.endswith("python -m launch.reproduce --out FOLDER")


def test_too_few_questions_say_so(tmp_path, cache):
  made = replay_command.lines(questions=9)
  file = replay_command.write(tmp_path / "file.jsonl", made)
  out = tmp_path / "run"
  assert replay_command.replay(out, file, cache).returncode == 0
  summary = json.loads((out / "summary.json").read_text())
  why = "there are 9 questions; 2 folds of 5 difficulty bins need at least 10"
  assert summary["policy"] == summary["difficulty"] == {"absent": why}
  assert not (out / "policy.json").exists()
  assert f"Not measured: {why}." in (out / "report.html").read_text()
  command = kill_harness.python("-m", "launch.figures", f"--run={out}")
  done = kill_harness.run((*command, "--figure=4"), {})
  assert f"lacks policy.families.search, policy.baseline: {why};" in done.stdout


def test_the_score_is_aggregated_as_asked(tmp_path, run, file, cache):
  out = tmp_path / "run"
  done = replay_command.replay(out, file, cache, "--config.aggregation=least")
  assert done.returncode == 0, done.stderr
  least = json.loads((out / "summary.json").read_text())
  names = ("best_of_n", "best_of_n_weighted")
  for name in names:
    own = least["verifier"]["aggregations"]["least"][name]
    for n, one in own.items():
      assert least["curves"][name][n] == pytest.approx(one, abs=1e-9)
  last = json.loads((run / "summary.json").read_text())
  assert least["curves"] != last["curves"]
  assert least["difficulty"] != last["difficulty"]
