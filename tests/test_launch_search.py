"""Launchers of verifiers and searches, on a tiny model and a drawn verifier."""

import json
import shutil

import kill_harness
import numpy as np
import pyarrow.parquet as pq
import pytest
import search_command
import tiny_head

from configs import search as search_config
from launch import planning
from tts_jax import errors
from tts_jax.model import huggingface
from tts_jax.report import search_sections
from tts_jax.scaling import flops, policy_file, scored_pool
from tts_jax.store import scores, searches
from tts_jax.verify import embedded, saved

_SMALL, _SEARCH = search_command.SMALL, search_command.SEARCH
_command = search_command.command


@pytest.fixture(scope="module")
def verifier(tmp_path_factory, model):
  """A verifier of the tiny model, as it is drawn."""
  folder = tmp_path_factory.mktemp("verifier")
  return search_command.draw_verifier(folder, model)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, model, verifier, cache):
  """A sweep that nothing interrupted."""
  out = tmp_path_factory.mktemp("whole") / "run"
  done = kill_harness.run(
    _command("search", out, model, verifier, _SEARCH), cache
  )
  assert done.returncode == 0, done.stderr
  return out, done.stdout


def test_a_sweep_has_every_method_budget_and_seed(whole):
  out, said = whole
  found = searches.load_searches(out)
  wanted = {("beam_sqrt", b, s) for b in (1, 4) for s in (0, 1)}
  # One row of lookahead costs 2: it has no cell at 1.
  wanted |= {("lookahead_1", 4, s) for s in (0, 1)}
  assert set(found) == wanted
  for (method, budget, _), one in found.items():
    rows = budget // 2 if method == "lookahead_1" else budget
    assert one.answers.shape == (6, rows)
    assert one.correct.shape == one.score.shape == one.answers.shape
    assert (one.cost.generated >= one.length.max(1)).all()
    assert (one.cost.lookahead > 0).any() == (method == "lookahead_1")
    np.testing.assert_array_less(0, one.score)
    np.testing.assert_array_less(one.score, 1)
  # No step is longer than it may be.
  steps = pq.read_table(
    out / searches.STAGE, columns=["step_scores", "length"]
  ).to_pylist()
  for row in steps:
    for mine, length in zip(row["step_scores"], row["length"], strict=True):
      assert len(mine) >= length / 5
  # Another seed draws other solutions.
  one, other = (found["beam_sqrt", 4, seed].score for seed in (0, 1))
  assert (one != other).any()
  assert "lookahead_1" in said


def test_its_summary_holds_what_it_measured(whole):
  out, _ = whole
  summary = json.loads((out / "summary.json").read_text())
  curves = summary["curves"]
  assert set(curves["best_of_n_weighted"]) == {"1", "2", "4", "8"}
  assert set(curves["beam_sqrt"]) == {"1", "4"}
  # One sample is one sample, however it is chosen.
  for method in ("majority", "best_of_n", "best_of_n_weighted"):
    assert curves[method]["1"]["mean"] == pytest.approx(
      curves["majority"]["1"]["mean"]
    )
  assert len(summary["curves_by_bin"]) == 5
  assert set(summary["curves_by_bin"][0]["best_of_n"]) == {"1", "2", "4"}
  ledger = summary["ledger"]
  assert ledger["beam_sqrt"]["4"]["flops"] > ledger["beam_sqrt"]["1"]["flops"]
  # The verifier's work is in a weighted vote and not in a majority.
  eight = {name: ledger[name]["8"] for name in ("majority", "best_of_n")}
  assert eight["majority"]["generated"] == eight["best_of_n"]["generated"]
  assert eight["majority"]["flops"] < eight["best_of_n"]["flops"]
  verifier = summary["verifier"]
  # The tiny model is never right: there is no AUC, and no NaN in its place.
  assert verifier["auc"] is None
  assert 0 < verifier["ece"] < 1
  assert verifier["first_error"] is not None


def test_its_page_tells_of_verifier_and_searches(whole):
  out, _ = whole
  report = (out / "report.html").read_text()
  for heading in ("The verifier", "Search against the verifier"):
    assert f"<h2>{heading}</h2>" in report
  assert "lookahead, k = 1" in report
  assert "<td>none</td>" in report
  assert 'href="trees.html"' in report
  trees = (out / "trees.html").read_text()
  assert trees.count('class="tree"') == 1
  assert 'href="report.html"' in trees


def test_too_few_questions_for_a_policy_are_told_of(whole):
  out, _ = whole
  summary = json.loads((out / "summary.json").read_text())
  why = "there are 6 questions; 2 folds of 5 difficulty bins need at least 10"
  assert summary["policy"] == summary["difficulty"] == {"absent": why}
  assert not (out / policy_file.FILE).exists()
  report = (out / "report.html").read_text()
  assert f"Not measured: {why}." in report
  assert "<h2>Weak verifiers</h2>" in report
  told = {one["claim"]: one for one in summary["claims"]}
  assert f"no policy: {why}" in {one["evidence"] for one in told.values()}
  assert set(summary["weak_verifiers"]["curves"]) == {
    *("majority", "turned", "prm")
  }
  assert len(summary["curves_by_predicted_bin"]) == 5


@pytest.mark.parametrize("place", ["first_4", "head"])
def test_enough_questions_make_a_policy(
  tmp_path, model, verifier, cache, place
):
  out, head = tmp_path / "run", None
  flags = ["--config.questions.count=10", "--config.search.seeds=1"]
  if place == "head":
    head = tmp_path / "head"
    tiny_head.save(head, model)
    flags.append(f"--config.difficulty={head}")
  command = _command("search", out, model, verifier, _SEARCH)
  done = kill_harness.run([*command, *flags], cache)
  assert done.returncode == 0, done.stderr
  here = policy_file.made_for(model, verifier, difficulty_head=head)
  policy = policy_file.load(out / policy_file.FILE, here)
  assert policy.made_for == here
  assert policy.difficulty == place
  assert policy.budgets == (1, 2, 4, 8)
  # Four samples to place a question leave nothing of four; a head takes none.
  few = (False, False, False, True)
  assert policy.estimated == (few if head is None else (True,) * 4)
  assert policy_file.strategy_for(policy, 0.5, 4).plan
  summary = json.loads((out / "summary.json").read_text())
  told = summary["difficulty"]["estimates"]
  assert list(told) == [
    *("none", "oracle", "predicted", "first_4"),
    *(() if head is None else ("head",)),
  ]
  speedup = summary["policy"]["speedup_vs_best_of_n_weighted"]
  assert set(speedup) == {"generations", "flops"}
  assert {"mean", "low", "high"} <= set(speedup["flops"])
  assert {one["verdict"] for one in summary["claims"]} <= {
    *("holds", "does not hold", "cannot tell")
  }
  report = (out / "report.html").read_text()
  for heading in (
    "Difficulty",
    "Compute-optimal policy",
    "The paper's findings on this task",
  ):
    assert f"<h2>{heading}</h2>" in report
  if head is not None:
    assert told["head"]["generations"] == 0
    # Its two layers, from 2 x 16 numbers to 6 to 1, and a pass over the prompt.
    own = 2 * (2 * 16 * 6 + 6)
    lm, _ = huggingface.load(model)
    token = flops.transformer(lm.config).per_token(0)
    assert own + token < told["head"]["flops"] < own + 64 * token
    # It parts the questions: the bins are not one.
    assert max(told["head"]["sizes"][0]) < 10
  assert ("prompt head" in report) == (head is not None)


def test_scores_of_a_pool_are_those_of_its_steps(whole):
  out, _ = whole
  found = scored_pool.load(out)
  step_score, step_logprob = found.step_score, found.step_logprob
  count = found.step_count
  assert step_score.shape[:2] == count.shape == (6, 8)
  live = np.arange(step_score.shape[2]) < count[..., None]
  assert count.min() >= 1
  assert ((step_score > 0) & (step_score < 1))[live].all()
  assert not step_score[~live].any()
  assert (step_logprob[live] < 0).all()
  np.testing.assert_allclose(
    step_logprob.sum(-1), found.samples.logprob, rtol=1e-4
  )


def test_scores_of_other_samples_are_refused(tmp_path, whole):
  out = tmp_path / "run"
  shutil.copytree(whole[0], out)
  ids = scored_pool.load(out).samples.question_ids
  with pytest.raises(errors.InputError, match="its 48 scores are not those"):
    scores.load_scores(out, ids[::-1], 8)
  with pytest.raises(errors.InputError, match="not those of the pool's 24"):
    scores.load_scores(out, ids, 4)
  next((out / scores.STAGE).glob("00001-*.parquet")).unlink()
  with pytest.raises(errors.InputError, match="its 32 scores are not those"):
    scored_pool.load(out)


def test_killed_a_sweep_is_the_same(tmp_path, whole, model, verifier, cache):
  out = tmp_path / "run"
  command = _command("search", out, model, verifier, _SEARCH)
  stage = out / searches.STAGE
  kills = []
  kill_harness.run_killed(
    command,
    [0.3, 0.8],
    progress=lambda: len(list(stage.glob("*.parquet"))),
    killed=lambda: kills.append(len(list(stage.glob("*.parquet")))),
    env=cache,
  )
  assert len(kills) == 2
  for name in (searches.STAGE, scores.STAGE):
    assert kill_harness.contents(out / name) == kill_harness.contents(
      whole[0] / name
    )
  found, wanted = (
    json.loads((folder / "summary.json").read_text())
    for folder in (out, whole[0])
  )
  # What a run cost is its own: a kill loses the work of unfinished shards.
  for name in ("seconds", "tokens_generated", "row_utilisation"):
    assert found.pop(name) > 0
    wanted.pop(name)
  assert found == wanted


@pytest.fixture(scope="module")
def measured(tmp_path_factory, model, verifier, cache):
  """The verifier measured without searches."""
  out = tmp_path_factory.mktemp("measured") / "run"
  done = kill_harness.run(
    _command("score", out, model, verifier, _SMALL), cache
  )
  assert done.returncode == 0, done.stderr
  return out, done.stdout


def test_a_verifier_is_measured_without_searches(measured, whole):
  out, said = measured
  found = json.loads((out / "verifier.json").read_text())
  summary = json.loads((whole[0] / "summary.json").read_text())
  assert summary["verifier"] == {**found, "regimes": {}}
  assert "calibration error" in said


def _compare(out, *flags):
  return kill_harness.python(
    "-m", "launch.compare_verifiers", f"--out={out}", *flags
  )


def test_measured_verifiers_are_compared(tmp_path, measured, cache):
  run, out = measured[0], tmp_path / "new" / "regimes"
  flags = (f"--run=frozen={run}", f"--run=outcome={run}", "--budget=4")
  done = kill_harness.run(_compare(out, *flags), cache)
  assert done.returncode == 0, done.stderr
  found = saved.regimes(out)
  assert list(found) == ["frozen", "outcome"]
  wanted = json.loads((run / "verifier.json").read_text())
  for row in found.values():
    assert row["auc"] == wanted["auc"]
    assert (
      row["best_of_n_weighted"] == (wanted["curves"]["best_of_n_weighted"]["4"])
    )
    assert row["pass_at_1"] == wanted["curves"]["majority"]["1"]
  _, header, _, first, second, _ = done.stdout.splitlines()
  assert "weighted best-of-4" in header
  assert first.removeprefix("| frozen") == second.removeprefix("| outcome")
  assert f"{wanted['ece']:.3f}" in first
  shown = "".join(
    search_sections.verifier({"verifier": {**wanted, "regimes": found}})
  )
  assert "How much of the backbone it shares" in shown
  assert "a process and by an outcome reward model" in shown


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    ((), "no run is given; give --run NAME=FOLDER"),
    (("--run=frozen",), "--run frozen: it must be NAME=FOLDER"),
    (
      ("--run=a=nowhere",),
      "nowhere/verifier.json is missing; run launch.score",
    ),
    (
      ("--run=a={run}", "--run=a={run}", "--budget=4"),
      "two runs have one name",
    ),
    (("--run=a={run}", "--budget=3"), "has no budget 3; it has 1, 2, 4, 8"),
    (
      ("--run=a={run}", "--run=b={other}", "--budget=4"),
      "(b) is of other questions or samples a question than",
    ),
  ],
)
def test_verifiers_that_cannot_be_compared(
  tmp_path, measured, model, verifier, cache, flags, message
):
  run, other = measured[0], tmp_path / "other"
  if "--run=b={other}" in flags:
    fewer = _command("score", other, model, verifier, _SMALL)
    done = kill_harness.run([*fewer, "--config.questions.count=4"], cache)
    assert done.returncode == 0, done.stderr
  flags = [flag.format(run=run, other=other) for flag in flags]
  done = kill_harness.run(_compare(tmp_path / "out", *flags), cache)
  assert done.returncode == 2
  assert message in done.stderr
  assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
  ("methods", "budgets"), [(("revisions",), (4,)), (("lookahead_3",), (1,))]
)
def test_an_experiment_has_a_search(methods, budgets):
  config = search_config.get_config()
  config.search.methods, config.search.budgets = methods, budgets
  with pytest.raises(errors.InputError, match="no method and budget"):
    planning.cells(config)


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (("--config.verifier=",), "config.verifier is empty"),
    (("--config.verifier=nowhere",), "nowhere/verifier.json: no such file"),
    (("--config.search.seeds=0",), "seeds is 0; it must be at least 1"),
    (("--config.search.step_tokens=-1",), "config.search.step_tokens is -1"),
    (("--config.search.budgets=(0,)",), "config.search.budgets has 0"),
    (
      ("--config.search.methods=('beam',)",),
      "config.search.methods has 'beam'",
    ),
    (("--config.search.tree.method=beam",), "config.search.tree.method is 'be"),
    (("--config.search.tree.budget=0",), "config.search.tree.budget is 0"),
    (("--config.search.tree.questions=-1",), "tree.questions is -1"),
    (("--config.difficulty=nowhere",), "nowhere/difficulty.json: no such file"),
    (("--config.difficulty={foreign}",), "made for tokenizer"),
    (("--config.scoring.length=16",), "a row has room for 16"),
  ],
)
def test_bad_settings_end_in_one_line(
  tmp_path, model, verifier, cache, flags, message
):
  foreign = embedded.DIFFICULTY
  flags = [flag.replace("{foreign}", str(foreign)) for flag in flags]
  command = _command("search", tmp_path / "run", model, verifier, _SEARCH)
  done = kill_harness.run([*command, *flags], cache)
  assert done.returncode == 2
  assert message in done.stderr.replace("\r", "\n").strip().splitlines()[-1]
  assert "Traceback" not in done.stderr
