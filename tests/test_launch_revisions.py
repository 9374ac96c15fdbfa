"""Launchers of revisions, from the command line, on a tiny model."""

import dataclasses
import json
import shutil

import jax
import kill_harness
import numpy as np
import pytest
import revise_command
import tiny_model

from tts_jax.model import huggingface
from tts_jax.scaling import policy_file
from tts_jax.store import chains, pool, run, searches, shards
from tts_jax.store import trajectories as store
from tts_jax.tasks import arithmetic, tokenization
from tts_jax.verify import reward, saved

_TASK = arithmetic.Arithmetic()
_BUILD = (
  "--config.task=arithmetic",
  "--config.questions.count=8",
  "--config.engine.batch=3",
  "--config.limits.prompt_tokens=32",
  "--config.limits.max_tokens=24",
  "--config.natural=0.5",
  "--config.room=0",
)
_TRAIN = (
  "--config.task=arithmetic",
  "--config.max_positions=96",
  "--config.data.rows=2",
  "--config.data.length=192",
  "--config.data.context_tokens=100",
  "--config.microbatches=1",
  "--config.optimizer.warmup=2",
  "--config.schedule.steps=24",
  "--config.schedule.log_every=1",
  "--config.schedule.validate_every=4",
  "--config.schedule.patience=99",
)


def _write_pool(folder, model, split):
  """Four samples of each question: right, wrong, right again, and cut."""
  tokenizer = tokenization.load(model)
  drawn = {name: [] for name in pool.SCHEMA.names if name != "logprob"}
  stream = _TASK.start(split, 0, 3)
  for _, (_, question) in zip(range(8), stream, strict=False):
    right = question.solution
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    for sample, text in enumerate((right, wrong, right, right[:3])):
      tokens = tokenizer.encode(text) + [tokenizer.end_token] * (sample < 3)
      row = dict(
        question_id=question.id,
        uid=question.uid,
        sample=sample,
        text=text,
        tokens=tokens,
        logprobs=[-0.5] * len(tokens),
        step_min_logprob=[-0.5],
        answer=_TASK.extract(text),
        verdict=("correct", "wrong", "correct", "ungradable")[sample],
        finished=sample < 3,
      )
      for name, value in row.items():
        drawn[name].append(value)
  with run.Run.open(folder, {}) as opened:
    stage = opened.stage(pool.STAGE, pool.SCHEMA, "inputs")
    stage.write(0, pool.table(**drawn))


@pytest.fixture(scope="module", name="made")
def fixture_made(tmp_path_factory, cache):
  """A model, and trajectories of samples that it might have drawn."""
  folder = tmp_path_factory.mktemp("made")
  tiny_model.save(folder / "model")
  for split in ("train", "validation"):
    _write_pool(folder / f"pool_{split}", folder / "model", split)
    done = kill_harness.run(_build(folder, folder / split, split), cache)
    assert done.returncode == 0, done.stderr
  return folder


def _build(made, out, split, *flags):
  return kill_harness.python(
    "-m",
    "launch.build_revisions",
    f"--out={out}",
    *_BUILD,
    f"--config.model={made / 'model'}",
    f"--config.source={made / f'pool_{split}'}",
    f"--config.questions.split={split}",
    *flags,
  )


def _train(made, out, *flags):
  return kill_harness.python(
    "-m",
    "launch.train_revision",
    f"--out={out}",
    *_TRAIN,
    f"--config.model={made / 'model'}",
    f"--config.trajectories={made / 'train'}",
    f"--config.held_out={made / 'validation'}",
    *flags,
  )


def test_trajectories_of_samples(made, cache):
  found = store.load_trajectories(made / "train")
  assert 8 < len(found) <= 16  # Of natural contexts, some leave none over.
  assert {len(one.context) for one in found} <= {0, 1, 2, 3, 4}
  end = tokenization.load(made / "model").end_token
  for one in found:
    assert [answer[-1] for answer in one.context] == [end] * len(one.context)
    assert one.target[-1] == end
    # As many of the latest answers as fit.
    shown = one.read(40)[len(one.prompt) :].tolist()
    assert len(shown) <= 40
    every = [token for answer in one.context for token in answer]
    assert every[len(every) - len(shown) :] == shown
    assert one.read(1000).tolist() == [*one.prompt, *every]
    # Right answers in the context are targets too.
    assert one.learned(1000).tolist() == [False] * len(one.prompt) + [
      right
      for answer, right in zip(one.context, one.context_correct, strict=True)
      for _ in answer
    ]
    assert len(one.learned(40)) == len(one.read(40))
  summary = json.loads((made / "train" / store.SUMMARY).read_text())
  assert summary.pop("origin") == dataclasses.asdict(
    saved.origin(made / "model")
  )
  assert summary == {
    "questions": 8,
    "without_correct": 0,
    "without_wrong": 0,
    "few_wrong": 8,
    "samples_ungradable": 8,
    "trajectories": 16,
  }
  before = kill_harness.contents(made / "train" / store.STAGE)
  next((made / "train" / store.STAGE).glob("00001-*")).unlink()
  done = kill_harness.run(_build(made, made / "train", "train"), cache)
  assert done.returncode == 0, done.stderr
  assert kill_harness.contents(made / "train" / store.STAGE) == before


def test_killed_the_fine_tuning_is_the_same(tmp_path, made, cache):
  done = kill_harness.run(_train(made, tmp_path / "whole"), cache)
  assert done.returncode == 0, done.stderr
  assert "stopped at step 24" in done.stdout
  out = tmp_path / "run"
  kills = kill_harness.run_killed(
    _train(made, out),
    [0.2, 0.2],
    progress=lambda: sorted((out / "checkpoints").glob("*")),
    env=cache,
  )
  assert kills >= 1
  weights = [
    (folder / "model" / "model.safetensors").read_bytes()
    for folder in (tmp_path / "whole", out)
  ]
  assert weights[0] == weights[1]
  curves = [
    (folder / "metrics.jsonl").read_text()
    for folder in (tmp_path / "whole", out)
  ]
  assert curves[0] == curves[1]
  losses = [json.loads(line) for line in curves[0].splitlines()]
  values = [x["validation_loss"] for x in losses if "validation_loss" in x]
  assert len(values) == 6
  assert values[-1] < values[0]
  lm, _ = huggingface.load(out / "model")
  assert lm.config.max_positions == 96


@pytest.mark.parametrize(
  ("flag", "message"),
  [
    ("held_out={made}/train", "is training question"),
    ("trajectories={made}/pool_train", "no such folder of shards"),
    ("trajectories={made}/other", "made for tokenizer another"),
    ("trajectories={made}/partial", "not all trajectories are there"),
  ],
)
def test_trajectories_that_do_not_fit(tmp_path, made, cache, flag, message):
  for name in ("other", "partial"):
    if not (made / name).exists():
      shutil.copytree(made / "train", made / name)
  summary = json.loads((made / "train" / store.SUMMARY).read_text())
  summary["origin"]["tokenizer"] = "another"
  (made / "other" / store.SUMMARY).write_text(json.dumps(summary))
  (made / "partial" / store.SUMMARY).unlink(missing_ok=True)
  flag = f"--config.{flag.format(made=made)}"
  done = kill_harness.run(_train(made, tmp_path / "run", flag), cache)
  assert done.returncode == 2
  assert message in done.stderr
  assert len(done.stderr.strip().splitlines()) == 1


def test_without_wrong_or_right_samples_there_is_nothing_to_learn(
  tmp_path, made, cache
):
  flags = ("--config.source=", "--config.samples=2")
  done = kill_harness.run(
    _build(made, tmp_path / "run", "train", *flags), cache
  )
  assert done.returncode == 2
  # The tiny model is never right.
  assert "no sample of any of the 8 questions is correct" in done.stderr
  done = kill_harness.run(
    _build(made, tmp_path / "other", "train", "--config.seed=4"), cache
  )
  assert done.returncode == 2
  assert "not the samples of these 8 questions" in done.stderr


@pytest.fixture(scope="module", name="verifier")
def fixture_verifier(made):
  """One that reads the history, as drawn; beside it, one that does not."""
  lm, _ = huggingface.load(made / "model")
  tokenizer = tokenization.load(made / "model")
  shape = dict(layers=1, width=16, token_width=4, mlp_width=8, predicts=True)
  ends = tokenizer.tokens_with("\n")
  for name, end in (("verifier", tokenizer.end_token), ("alone", None)):
    judge = reward.above(lm, ends, answer_end=end, **shape)
    params = judge.init(jax.random.key(0))
    saved.save(made / name, judge, params, saved.origin(made / "model"))
  return made / "verifier"


def test_a_verifier_learns_from_chains(tmp_path, made, verifier, cache):
  folders = {}
  for split in ("train", "validation"):
    folders[split] = tmp_path / split
    flag = f"--config.questions.split={split}"
    done = kill_harness.run(
      revise_command.revise(made / "model", folders[split], flag), cache
    )
    assert done.returncode == 0, done.stderr
  command = kill_harness.python(
    "-m",
    "launch.train_verifier",
    f"--out={tmp_path / 'run'}",
    "--config=configs/train_revision_verifier.py",
    "--config.task=arithmetic",
    f"--config.model={made / 'model'}",
    f"--config.labels={folders['train']}",
    f"--config.held_out={folders['validation']}",
    f"--config.start={verifier}",
    "--config.backbone=",
    "--config.head.layers=1",
    "--config.head.tap=1",
    "--config.head.width=16",
    "--config.head.token_width=4",
    "--config.head.mlp_width=8",
    "--config.data.rows=2",
    "--config.data.length=192",
    "--config.mixture.worked=1",
    "--config.optimizer.warmup=1",
    "--config.schedule.steps=4",
    "--config.schedule.validate_every=2",
  )
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  saved.load(tmp_path / "run" / "verifier", saved.origin(made / "model"))
  other = [*command, "--config.head.mlp_width=4", f"--out={tmp_path / 'o'}"]
  done = kill_harness.run(other, cache)
  assert done.returncode == 2
  assert "give the same head, or no start" in done.stderr


def test_the_experiment_with_revisions(tmp_path, made, verifier, cache):
  out = tmp_path / "run"
  command = kill_harness.python(
    "-m",
    "launch.search",
    f"--out={out}",
    *(
      flag
      for flag in revise_command.FLAGS
      if ".chains" not in flag and ".len" not in flag
    ),
    # As few as make a policy.
    "--config.questions.count=10",
    "--config.samples=8",
    # Enough for a search to end now and then.
    "--config.limits.max_tokens=26",
    "--config.scoring.rows=2",
    "--config.scoring.length=128",
    "--config.search.methods=('beam_4','revisions')",
    "--config.search.budgets=(1,4)",
    "--config.search.seeds=1",
    "--config.search.rows=8",
    "--config.search.tree.questions=1",
    "--config.revision.budgets=(1,4,8)",
    f"--config.model={made / 'model'}",
    f"--config.verifier={made / 'alone'}",
    f"--config.revision.model={made / 'model'}",
    f"--config.revision.verifier={verifier}",
    f"--config.revision.other={made / 'alone'}",
  )
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  summary = json.loads((out / "summary.json").read_text())
  families = summary["policy"]["families"]
  assert list(families) == ["search", "revisions", "pooled"]
  assert set(summary["policy"]["parallel"]) == {"1", "4", "8"}
  curves = summary["weak_verifiers"]["curves"]
  assert set(curves["revision_majority"]) == {"1", "2", "4", "8"}
  model = made / "model"
  folders = model, made / "alone", model, verifier
  here = policy_file.made_for(*folders)
  for name, averaged in (
    (policy_file.FILE, False),
    (policy_file.AVERAGE_FILE, True),
  ):
    assert policy_file.load(out / name, here).averaged == averaged
  averaged = summary["policy"]["averaged"]["families"]
  assert list(averaged) == list(families)
  found = summary["revisions"]
  assert found["chosen_by"] == "history"
  assert len(found["ratio_curves_by_predicted_bin"]) == 5
  assert len(found["pass_at_1_along_chain"]) == 8
  assert set(found["ratio_curves"]) == {"1", "4", "8"}
  assert set(found["verifier_ablation"]) == set(chains.SCORES)
  # Beam search of 4, each final revised once.
  assert set(found["combined"]) == {"8"}
  loaded = chains.load_chains(out)
  scores = chains.load_all_scores(out, loaded)
  np.testing.assert_array_equal(scores["alone"], scores["prm"])
  for score in scores.values():
    assert ((score > 0) == loaded.answers.finished).all()
  # The first answer has no context: the same verifier says the same.
  first = np.cumsum([0, *loaded.lengths[:-1]])
  # The models are one here, and yet no answer is the pool's sample again.
  drawn = [
    shards.read(out / stage, ("tokens",))["tokens"].to_pylist()
    for stage in (pool.STAGE, chains.STAGE)
  ]
  same = [
    drawn[0][8 * question + number]
    == drawn[1][sum(loaded.lengths) * question + place]
    for question in range(10)
    for number, place in enumerate(first)
  ]
  assert len(same) == 80
  assert sum(same) < 40
  np.testing.assert_allclose(
    scores["history"][:, first], scores["prm"][:, first], rtol=1e-4
  )
  # What the searches found is what is revised.
  finals = searches.finals(out, "beam_4", (4,))
  columns = ("text", "turn", "read", "tokens")
  of_search = shards.read(out / chains.OF_SEARCH, columns).to_pylist()
  wanted = [text for mine in finals for text in mine]
  assert len(wanted) == 40
  assert [row["turn"] for row in of_search] == [0, 1] * 40
  assert any(wanted)
  for text, first, second in zip(
    wanted, of_search[::2], of_search[1::2], strict=True
  ):
    assert text in (None, first["text"])
    # What the model wrote itself is not read anew.
    assert second["read"] == (0 if text is None else len(first["tokens"]))
  report = (out / "report.html").read_text()
  assert "<h2>Revisions</h2>" in report
  assert 'href="chains.html"' in report
  page = (out / "chains.html").read_text()
  assert page.count('<div class="chain">') == 2
  assert 'href="report.html"' in page
  before = kill_harness.contents(out / chains.STAGE)
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  assert kill_harness.contents(out / chains.STAGE) == before
