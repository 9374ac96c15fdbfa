"""Training all that ships: the list of its stages, and how they are run."""

import dataclasses
import importlib
import pathlib
import re

import kill_harness
import pytest

from launch import config_file, scratch, stages
from tts_jax import errors

_ROOT = pathlib.Path(scratch.__file__).parent.parent
_TINY = {
  "task": "arithmetic",
  "tokenizer.vocabulary": 300,
  "tokenizer.count": 200,
  "model.width": 8,
  "model.layers": 1,
  "model.heads": 2,
  "model.kv_heads": 1,
  "model.head_width": 4,
  "model.mlp_width": 8,
  "data.rows": 2,
  "data.microbatches": 1,
  "validation.batches": 1,
  "optimizer.warmup": 1,
  "schedule.steps": 2,
  "schedule.validate_every": 1,
}


def _read(name):
  return importlib.import_module(f"configs.{name}").get_config()


def _own(launcher):
  """The name of a launcher's own config."""
  source = (_ROOT / "launch" / f"{launcher}.py").read_text()
  return re.search(r'config_flag\("configs/(\w+)\.py"\)', source)[1]


@pytest.mark.parametrize(
  ("config", "launcher"),
  [
    *{(one.config, one.launcher): None for one in scratch.STAGES},
    ("train_arithmetic", "train_lm"),
    ("subset", "reproduce"),
  ],
)
def test_another_config_has_the_keys_of_its_launchers_own(config, launcher):
  config_file.check_keys(config, _read(config), _read(_own(launcher)))


@pytest.mark.parametrize("stage", scratch.STAGES, ids=lambda stage: stage.name)
def test_the_flags_of_a_stage_are_keys_of_its_launcher(stage):
  for key, value in stage.flags.items():
    found = stage.read()
    for part in key.split("."):
      assert part in found, key
      found = found[part]
    # A tuple is written as a flag has it.
    assert isinstance(value, str if isinstance(found, tuple) else type(found))


def test_a_stage_reads_what_was_made_before_it():
  seen = set()
  for stage in scratch.STAGES:
    assert set(re.findall(r"{(\w+)}", str([*stage.flags.values()]))) <= seen
    assert stage.name not in seen
    seen.add(stage.name)


def test_a_part_has_fewer_questions_and_steps():
  parts = {stage.name: stage.part(0.03) for stage in scratch.STAGES}
  assert parts["labels"].flags["questions.count"] == 240
  # Too few to tell anything of, the held-out ones are not made fewer still.
  assert parts["labels_held_out"].flags["questions.count"] == 60
  # A step count that is in the config alone, and one that a flag changes.
  assert parts["verifier"].flags["schedule.steps"] == 270
  assert parts["fourth"].flags["schedule.steps"] == 42
  assert parts["fourth"].flags["optimizer.warmup"] == 1
  rows = parts["difficulty"].read().data.rows
  assert parts["samples"].flags["questions.count"] >= rows
  # The model that all others start from learns enough to answer some.
  assert parts["model"].flags["schedule.steps"] == 640
  assert parts["larger_answers"].flags["questions.count"] == 0


@pytest.mark.parametrize("share", [0.001, 0.03, 0.5, 1])
def test_a_part_reads_samples_of_its_own_questions(share):
  parts = {stage.name: stage.part(share) for stage in scratch.STAGES}

  def count(part):
    whole = part.read().questions.count
    return part.flags.get("questions.count", whole)

  reading = 0
  for part in parts.values():
    source = parts.get(part.flags.get("source", "").strip("{}"))
    if source is not None and source.launcher == "build_revisions":
      assert count(part) == count(source), part.name
      reading += 1
  assert reading == 2


@pytest.mark.parametrize("stage", scratch.STAGES, ids=lambda stage: stage.name)
def test_the_whole_of_a_stage_is_itself(stage):
  assert stage.part(1).minutes == stage.minutes
  assert stage.part(1).command(_ROOT)[:5] == stage.command(_ROOT)[:5]
  sizes, flags = stage.part(1).flags, stage.flags
  assert {key: sizes[key] for key in flags} == flags


@pytest.mark.parametrize("share", [0, -0.5, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(tmp_path, share):
  with pytest.raises(errors.InputError, match="above 0 and at most 1"):
    scratch.perform(tmp_path, share=share)


def test_the_config_names_what_was_made(tmp_path):
  """All that the package ships for a run is replaced."""
  config = importlib.import_module("configs.reproduce").get_config()
  scratch.settle(config, tmp_path)
  revision = config.revision
  given = [
    config.model,
    config.verifier,
    config.difficulty,
    revision.model,
    revision.verifier,
    revision.other,
    config.exchange.pool,
  ]
  by_name = {stage.name: stage.launcher for stage in scratch.STAGES}
  named = [pathlib.Path(path).relative_to(tmp_path).parts[0] for path in given]
  assert len(set(named)) == len(named)
  assert [by_name[name] for name in named] == [
    "train_lm",
    "train_verifier",
    "train_difficulty",
    "train_revision",
    "train_verifier",
    "train_verifier",
    "sample",
  ]


def test_stages_go_on_where_they_were(tmp_path, monkeypatch, capfd, cache):
  for name, value in cache.items():
    monkeypatch.setenv(name, value)
  model = stages.Stage("model", "train_lm", 90, _TINY, "train_arithmetic")
  flags = {
    "task": "arithmetic",
    "model": "{model}/model",
    "questions.count": 2,
    "samples": 0,
    "limits.prompt_tokens": 48,
    "limits.max_tokens": 8,
  }
  answers = stages.Stage("answers", "sample", 1, flags, "subset")
  with pytest.raises(errors.InputError, match="stage 'answers' ended with"):
    scratch.perform(tmp_path, (model, answers))
  said, _ = capfd.readouterr()
  assert "2 of 2 stages are left, about 91 min" in said
  mended = dataclasses.replace(answers, flags={**flags, "samples": 1})
  scratch.perform(tmp_path, (model, mended))
  said, _ = capfd.readouterr()
  assert "1 of 2 stages are left, about 1 min" in said
  assert "[1/2]" not in said
  assert "[2/2] answers: launch.sample" in said
  assert kill_harness.contents(tmp_path / "answers" / "pool")
  scratch.perform(tmp_path, (model, mended))
  assert "0 of 2 stages are left" in capfd.readouterr()[0]
