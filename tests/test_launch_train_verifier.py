"""The launcher of verifiers, from the command line, killed and started again.

Labels are written as a run of labelling would leave them, without one.
"""

import dataclasses
import json
import shutil

import kill_harness
import numpy as np
import pyarrow as pa
import pytest
import tiny_model

from tts_jax.model import huggingface
from tts_jax.store import labels as labels_lib
from tts_jax.store import pool, run
from tts_jax.tasks import arithmetic, tokenization
from tts_jax.verify import prefixes, saved

_TASK = arithmetic.Arithmetic()
_SMALL = (
  "--config.task=arithmetic",
  "--config.data.rows=2",
  "--config.data.length=256",
  "--config.head.layers=1",
  "--config.head.tap=1",
  "--config.head.width=16",
  "--config.head.token_width=4",
  "--config.head.mlp_width=8",
  "--config.mixture.samples=2",
  "--config.mixture.worked=1",
  "--config.optimizer.warmup=2",
  "--config.schedule.steps=40",
  "--config.schedule.log_every=1",
  "--config.schedule.validate_every=4",
  "--config.schedule.patience=99",
)
_SHORT = ("--config.schedule.steps=4",)


def _write_labels(folder, model, split):
  """Each question solved right once, and once to another answer."""
  tokenizer = tokenization.load(model)
  delimiters = tokenizer.tokens_with(_TASK.step_delimiter)
  drawn = {name: [] for name in pool.SCHEMA.names if name != "logprob"}
  rows = []
  for question in _TASK.questions(split, 8):
    text = question.solution
    for sample, right in enumerate((True, False)):
      text = text if right else text[:-1] + str((int(text[-1]) + 1) % 10)
      tokens = [*tokenizer.encode(text), tokenizer.end_token]
      at = dict(question_id=question.id, uid=question.uid, sample=sample)
      ends = prefixes.step_ends(tokens, delimiters)
      row = dict(
        text=text,
        tokens=tokens,
        logprobs=[-0.5] * len(tokens),
        step_min_logprob=[-0.5] * len(ends),
        answer=_TASK.extract(text),
        verdict="correct" if right else "wrong",
        finished=True,
      )
      for name, value in {**at, **row}.items():
        drawn[name].append(value)
      last = [0] * (len(ends) - 1)
      rows.append(
        {
          **at,
          "dropped": "",
          "prompt": tokenizer.encode_prompt(_TASK.prompt(question)),
          "step_end": ends,
          "owner": [sample] * len(ends),
          "rollouts": [4] * len(last) + [0],
          "rollouts_correct": [2] * len(last) + [0],
          "passing": [2] * len(last) + [1],
          "passing_correct": [1] * len(last) + [int(right)],
          "generated": [9] * len(ends),
          "prefilled": 9,
        }
      )
  with run.Run.open(folder, {}) as opened:
    stage = opened.stage(pool.STAGE, pool.SCHEMA, "inputs")
    stage.write(0, pool.table(**drawn))
    stage = opened.stage(labels_lib.STAGE, labels_lib.SCHEMA, "inputs")
    table = pa.Table.from_pylist(rows, schema=labels_lib.SCHEMA)
    stage.write(0, table)
    origin = dataclasses.asdict(saved.origin(model))
    opened.write_json(labels_lib.SUMMARY, {"origin": origin})


@pytest.fixture(scope="module", name="made")
def fixture_made(tmp_path_factory):
  """A folder of a model, and of labels of its questions."""
  folder = tmp_path_factory.mktemp("made")
  tiny_model.save(folder / "model")
  _write_labels(folder / "train", folder / "model", "train")
  _write_labels(folder / "held_out", folder / "model", "validation")
  shutil.copytree(folder / "train", folder / "other")
  summary = json.loads((folder / "other" / labels_lib.SUMMARY).read_text())
  summary["origin"]["model"] = "another"
  (folder / "other" / labels_lib.SUMMARY).write_text(json.dumps(summary))
  return folder


def _command(out, made, *flags):
  return kill_harness.python(
    "-m",
    "launch.train_verifier",
    f"--out={out}",
    *_SMALL,
    f"--config.model={made / 'model'}",
    f"--config.labels={made / 'train'}",
    f"--config.held_out={made / 'held_out'}",
    *flags,
  )


def _run(command, cache):
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  return done.stdout


def _lines(folder):
  lines = (folder / "metrics.jsonl").read_text().splitlines()
  return [json.loads(line) for line in lines]


def test_killed_at_random_training_ends_in_the_same_verifier(
  tmp_path, made, cache
):
  whole, killed = tmp_path / "whole", tmp_path / "killed"
  _run(_command(whole, made), cache)
  reached = []

  def steps():
    names = [path.name for path in (killed / "checkpoints").glob("*")]
    return max((int(name) for name in names if name.isdecimal()), default=0)

  kills = kill_harness.run_killed(
    _command(killed, made),
    # Counted from the first state that a run adds, so each gets on.
    kill_harness.random_delays(2, 0.2, seed=0),
    progress=steps,
    killed=lambda: reached.append(steps()),
    env=cache,
  )
  assert kills == 2
  assert len({step for step in reached if 0 < step < 40}) == 2, reached
  assert _lines(killed) == _lines(whole)
  assert kill_harness.contents(killed / "verifier") == kill_harness.contents(
    whole / "verifier"
  )

  losses = [x["loss"] for x in _lines(whole) if "loss" in x]
  assert len(losses) == 40
  assert np.mean(losses[-5:]) < losses[0] - 0.1
  assert len([x for x in _lines(whole) if "validation_loss" in x]) == 10
  origin = saved.origin(made / "model")
  verifier, params = saved.load(whole / "verifier", origin)
  lm, _ = huggingface.load(made / "model")
  saved.check_fit(verifier, lm, lm.config.width)
  assert set(params) == {"head"}
  assert verifier.config.blocks.layers == 1
  assert np.abs(params["head"]["prediction"]["kernel"]).max() > 0
  # Frozen, the generator is nobody's to write.
  assert not (whole / "model").exists()
  assert not (whole / "verifier" / "backbone").exists()


def test_trained_jointly_the_generator_is_another_one(tmp_path, made, cache):
  out = tmp_path / "joint"
  flags = (*_SHORT, "--config.objective.language_weight=1.0")
  _run(_command(out, made, *flags), cache)
  origin = saved.origin(out / "model")
  before = saved.origin(made / "model")
  assert origin.tokenizer == before.tokenizer
  assert origin.model != before.model
  saved.load(out / "verifier", origin)
  with pytest.raises(ValueError, match="reads the states of model"):
    saved.load(out / "verifier", before)
  lm, params = huggingface.load(out / "model", "float32")
  old_lm, old = huggingface.load(made / "model", "float32")
  assert lm == old_lm
  assert np.abs(params["embedding"] - old["embedding"]).max() > 0


def test_a_separate_verifier_has_a_backbone_of_its_own(tmp_path, made, cache):
  out = tmp_path / "separate"
  flags = (
    *_SHORT,
    "--config.head.separate=True",
    "--config.head.dropout=0.05",
    "--config.head.predicts=False",
    "--config.objective.opinion_weight=0.0",
    "--config.mixture.worked=0",
  )
  _run(_command(out, made, *flags), cache)
  verifier, params = saved.load(out / "verifier", saved.origin(made / "model"))
  assert verifier.reads_tokens
  assert (out / "verifier" / "backbone" / "config.json").is_file()
  assert not (out / "model").exists()
  _, old = huggingface.load(made / "model", "float32")
  moved = params["backbone"]["embedding"] - old["embedding"]
  assert np.abs(moved).max() > 1e-3


_BAD = {
  "one set": ("--config.held_out={made}/train", "is training question"),
  "no labels": ("--config.labels={made}/none", "no such folder of shards"),
  "too long": ("--config.data.length=16", "a row has room for 16"),
  "width": ("--config.head.width=12", "a multiple of the model's head width"),
  "another model": (
    "--config.labels={made}/other",
    "reads the states of model",
  ),
  "never": ("--config.schedule.validate_every=0", "validate_every is 0"),
  "task": ("--config.task=algebra", "must be one of arithmetic"),
  "both": (
    "--config.objective.opinion_weight=1 --config.head.predicts=False",
    "set head.predicts",
  ),
}


def test_bad_settings_end_in_one_line(tmp_path, made, cache):
  names = list(_BAD)
  for pair in zip(names[::2], names[1::2], strict=True):  # A core each.
    children = {}
    for name in pair:
      flags = _BAD[name][0].format(made=made).split()
      command = _command(tmp_path / name, made, *flags)
      children[name] = kill_harness.start(command, cache)
    for name, child in children.items():
      _, said = child.communicate()
      assert child.returncode == 2, (name, said)
      assert _BAD[name][1] in said
      assert len(said.strip().splitlines()) == 1, said
      assert not (tmp_path / name / "verifier").exists()
