"""The model of the package is what the README and its card say it is."""

import json
import os
import pathlib
import subprocess

import kill_harness
import pytest

from configs import reproduce
from tts_jax import errors
from tts_jax.decode import loop, pools
from tts_jax.model import embedded, huggingface
from tts_jax.scaling import policy_file
from tts_jax.tasks import tokenization
from tts_jax.verify import embedded as verifiers
from tts_jax.verify import saved, saved_difficulty

_MADE_BY = {
  embedded.FOLDER: "python -m launch.train_lm",
  embedded.REVISION: "python -m launch.train_revision",
}


@pytest.mark.parametrize("folder", _MADE_BY, ids=lambda path: path.name)
def test_it_fits_the_default_settings(folder):
  lm, params = huggingface.load(folder)
  tokenizer = tokenization.load(folder)
  config = reproduce.get_config()
  limits = loop.Limits(
    max_tokens=config.limits.max_tokens, end_token=tokenizer.end_token
  )
  room = config.limits.prompt_tokens
  if folder == embedded.REVISION:
    room += config.revision.context_tokens
  pools.check_fit(lm.config, tokenizer, room, limits)
  assert str(params["embedding"].dtype) == "bfloat16"


def test_it_is_small():
  size = sum(path.stat().st_size for path in embedded.FOLDER.iterdir())
  assert size < 12e6
  judges = verifiers.folder("", embedded.REVISION), verifiers.OTHER
  size = sum(
    path.stat().st_size
    for folder in (embedded.REVISION, *judges)
    for path in folder.rglob("*")
  )
  assert size < 10e6


@pytest.mark.parametrize("history", [False, True])
def test_the_revision_verifiers_are_of_the_revision_model(history):
  lm, _ = huggingface.load(embedded.REVISION)
  own = verifiers.folder("", embedded.REVISION)
  folder = verifiers.OTHER if history else own
  verifier, _ = saved.load(folder, saved.origin(embedded.REVISION))
  saved.check_fit(verifier, lm, lm.config.width)
  assert verifier.reads_history == history
  card = (folder / "README.md").read_text()
  curve = (folder / "metrics.jsonl").read_text().splitlines()
  losses = [json.loads(line).get("validation_loss") for line in curve]
  assert f"{min(loss for loss in losses if loss):.4f}" in card


def test_the_difficulty_head_is_of_the_model():
  folder = verifiers.difficulty("", embedded.FOLDER)
  head, _ = saved_difficulty.load(folder, saved.origin(embedded.FOLDER))
  lm, _ = huggingface.load(embedded.FOLDER)
  saved_difficulty.check_fit(head, lm.config)
  size = sum(path.stat().st_size for path in folder.iterdir())
  assert size < 1e5
  card = " ".join((folder / "README.md").read_text().split())
  for word in ("python -m launch.train_difficulty", "Seed 0", "Apache-2.0"):
    assert word in card
  made = json.loads((folder / saved_difficulty.CARD).read_text())["reached"]
  ranked = made["rank_correlation"]
  for value in (made["best_loss"], made["constant_loss"]):
    assert f"{value:.4f}" in card
  interval = "{mean:.3f} [{low:.3f}, {high:.3f}]".format(**ranked)
  assert interval in card
  assert ranked["low"] > 0.8


def test_a_head_is_the_packages_for_its_own_model_alone(tmp_path):
  own = embedded.FOLDER
  assert verifiers.difficulty("", own) == verifiers.DIFFICULTY
  for model in (tmp_path, embedded.REVISION):
    assert verifiers.difficulty("", model) is None
    assert verifiers.difficulty("here", model) == pathlib.Path("here")
  assert verifiers.difficulty("none", own) is None
  other = saved.origin(embedded.REVISION)
  with pytest.raises(errors.InputError, match="reads the states of model"):
    saved_difficulty.load(verifiers.DIFFICULTY, other)


@pytest.mark.parametrize("folder", _MADE_BY, ids=lambda path: path.name)
def test_its_card_states_how_it_was_made(folder):
  card = (folder / "README.md").read_text()
  for word in (_MADE_BY[folder], "seed", "Apache-2.0", "validation"):
    assert word in card
  curve = (folder / "metrics.jsonl").read_text().splitlines()
  losses = [json.loads(line).get("validation_loss") for line in curve]
  best = min(loss for loss in losses if loss)
  assert f"{best:.4f}" in card


def test_the_readme_is_finished():
  readme = (kill_harness.ROOT / "README.md").read_text()
  assert "@@" not in readme


def test_it_answers_questions_that_it_has_not_seen(tmp_path):
  out = tmp_path / "run"
  done = subprocess.run(
    kill_harness.python(
      "-m",
      "launch.reproduce",
      f"--out={out}",
      "--config.questions.count=25",
      "--config.samples=8",
      "--config.search.methods=('beam_4','revisions')",
      "--config.search.budgets=(4,)",
      "--config.revision.budgets=(1,4,8)",
      "--config.engine.rows=4",
      "--config.search.rows=32",
      "--config.search.tree.budget=4",
      "--config.search.tree.questions=2",
    ),
    capture_output=True,
    text=True,
    check=False,
    cwd=kill_harness.ROOT,
    # Here it takes longer to run than to compile.
    env={**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""},
  )
  assert done.returncode == 0, done.stderr
  summary = json.loads((out / "summary.json").read_text())
  # 200 samples of 25 questions: wide, but a broken model is at 0.
  assert 0.2 < summary["pass_at_1"] < 0.8
  groups = summary["groups"]
  assert groups["trained"]["pass_at_k"]["8"]["mean"] > 0.6
  assert summary["truncated"] < 20
  assert summary["bins"][0]["pass_at_1"] == pytest.approx(1, abs=0.3)
  # The head of the package places questions, without a sample.
  told = summary["difficulty"]["estimates"]["head"]
  assert told["rank_correlation"]["mean"] > 0.3
  policy = policy_file.load(out / policy_file.FILE)
  assert policy.difficulty == "head"
  assert policy.made_for.difficulty_head == saved.content_hash(
    verifiers.DIFFICULTY
  )
  verifier = summary["verifier"]
  assert verifier["auc_within_question"] > 0.7
  assert set(summary["curves"]["beam_4"]) == {"4"}
  assert 'href="trees.html"' in (out / "report.html").read_text()
  assert (out / "trees.html").read_text().count('class="tree"') == 2
  revisions = summary["revisions"]
  assert revisions["pass_at_1_along_chain"][3]["mean"] > 0.3
  assert revisions["spoiled_share"]["mean"] < 0.38
  judged = revisions["verifier_ablation"]
  assert set(judged) == {"history", "alone", "prm"}
  assert min(one["auc"] for one in judged.values()) > 0.8
  assert revisions["chosen_by"] == "alone"
  assert "8" in revisions["combined"]
