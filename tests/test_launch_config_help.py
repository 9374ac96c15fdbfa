"""The help of a launcher says what its config's keys mean and take."""

import importlib
import re
import subprocess
import sys

import kill_harness
import pytest
from ml_collections import config_dict

from launch import config_comments, config_file, config_values
from tts_jax import errors

_DEFAULT = re.compile(r'config_flag\("(configs/(\w+)\.py)"\)')


def _defaults():
  """Names of the configs that launchers have by default."""
  texts = [p.read_text("utf-8") for p in kill_harness.ROOT.glob("launch/*.py")]
  return sorted(
    {found[2] for text in texts for found in _DEFAULT.finditer(text)}
  )


def test_the_launchers_are_found():
  assert {"reproduce", "search", "solve", "train_verifier"} <= {*_defaults()}


@pytest.mark.parametrize("name", [*_defaults(), "train_arithmetic"])
def test_every_key_has_a_meaning(name):
  config = importlib.import_module(f"configs.{name}").get_config()
  meant = config_comments.meanings(kill_harness.ROOT / "configs" / f"{name}.py")
  keys = [key for key, _ in config_values.items(config)]
  assert len(keys) > 10
  assert [key for key in keys if not meant.get(key)] == []


_CONFIG = '''
import ml_collections

from configs import bench


def get_config() -> ml_collections.ConfigDict:
  """Its own keys, and some of another's."""
  config = ml_collections.ConfigDict(
    {
      # How many: a comment
      # of two lines.
      "samples": 4,

      "bare": 1,
      # Of tokens.
      "sampler": {"temperature": 0.8, "top_p": 1.0},
      # Of methods.
      "most": {
        "beam": 4,
        "deep": {"er": 2},
      },
      # Sizes.
      "model": {
        # Of the head.
        "width": 3,
        "depth": 5,
      },
    }
  )
  # Not of the next line's key.

  config.greedy = True
  # Both.
  config.chains, config.length = 16, 5
  # More.
  config.tokens = 7
  # A group.
  config.fields = {"id": "uid"}
  other = 3  # No key.
  return config
'''


def test_comments_are_read_as_they_stand(tmp_path):
  file = tmp_path / "mine.py"
  file.write_text(_CONFIG)
  meant = config_comments.meanings(file)
  assert {key: meant.get(key) for key, _ in _keys()} == {
    "samples": "How many: a comment of two lines.",
    "bare": None,
    "sampler": "Of tokens.",
    "sampler.temperature": "Of tokens.",
    "sampler.top_p": "Of tokens.",
    "most": "Of methods.",
    "most.beam": "Of methods.",
    "most.deep": "Of methods.",
    "most.deep.er": "Of methods.",
    # Of another config, which has them too, and then of this one.
    "model": "Of random weights. Sizes.",
    "model.width": "Of the residual stream. Of the head.",
    "model.depth": None,
    "greedy": None,
    "chains": "Both.",
    "length": "Both.",
    "tokens": "Tokens of each sample. More.",
    "fields": "A group.",
    "fields.id": "A group.",
  }


def _keys():
  scope = {}
  exec(_CONFIG, scope)
  return list(config_values.items(scope["get_config"]()))


def test_a_config_that_is_a_group_speaks_for_it_alone(tmp_path):
  file = tmp_path / "mine.py"
  file.write_text("""
from configs import bench

config = ml_collections.ConfigDict(
  {
    # Mine.
    "tokens": 3,
    # Another's.
    "other": {"inner": bench.get_config()},
  }
)
# Fewer.
config.other.inner.repeats = 2
""")
  meant = config_comments.meanings(file)
  assert meant["tokens"] == "Mine."
  assert meant["other.inner.tokens"] == "Tokens of each sample."
  repeats = "Of each figure, whose median is told. Fewer."
  assert meant["other.inner.repeats"] == repeats
  assert "repeats" not in meant


@pytest.mark.parametrize("flag", ["--help", "--helpshort", "-helpfull"])
def test_help_has_the_keys_behind_the_flags(flag):
  done = subprocess.run(
    [sys.executable, "-m", "launch.train_verifier", flag],
    capture_output=True,
    text=True,
    cwd=kill_harness.ROOT,
    check=False,
  )
  flags, keys = done.stdout.split("\nkeys of ")
  assert "--out: Folder" in flags
  assert keys.startswith(f"{kill_harness.ROOT}/configs/train_verifier.py:\n")
  said = " ".join(keys.split())
  assert (
    "--config.head.tap: Branch off below this block of the model, with the"
    " blocks above for a start; the model's number of blocks reads its final"
    " states. (default: 2; an integer)"
  ) in said
  assert "--config.history: Of labels" in said
  assert "(default: True; true or false)" in said
  assert "--config.head: Its shape. --config.head.dropout" in said
  assert max(map(len, keys.splitlines()[1:])) <= 80


def test_help_is_of_the_config_that_is_given():
  done = subprocess.run(
    [
      *(sys.executable, "-m", "launch.train_verifier", "--help"),
      "--config=configs/train_revision_verifier.py",
    ],
    capture_output=True,
    text=True,
    cwd=kill_harness.ROOT,
    check=False,
  )
  assert "keys of configs/train_revision_verifier.py:" in done.stdout
  said = " ".join(done.stdout.split())
  assert "--config.worked_seed: Of the worked solutions' questions." in said
  assert "(default: 5; an integer)" in said


_VALUES = {
  "samples": 4,
  "greedy": False,
  "rate": 0.5,
  "name": "x",
  "budgets": (1, 4),
  "rates": (0.5, 1.0),
  "methods": ("beam",),
  "shapes": ((1, 2),),
  "group": {"a": 1, "b": 2},
}


def _check(*argv):
  config = config_dict.ConfigDict(_VALUES)
  config_file.check_flags("mine.py", config, ["toy", *argv])


@pytest.mark.parametrize(
  ("key", "value", "wanted"),
  [
    ("samples", "abc", "an integer, as 4"),
    ("samples", "1.5", "an integer, as 4"),
    ("samples", "", "an integer, as 4"),
    ("group.a", "x", "an integer, as 1"),
    ("rate", "fast", "a number, as 0.5"),
    ("greedy", "maybe", "true or false, as False"),
    ("budgets", "abc", "a tuple of integers, as (1, 4)"),
    ("budgets", "(1,2.5)", "a tuple of integers, as (1, 4)"),
    ("budgets", "(1,True)", "a tuple of integers, as (1, 4)"),
    ("rates", "(1,'a')", "a tuple of numbers, as (0.5, 1.0)"),
    ("methods", "(1,)", "a tuple of texts, as ('beam',)"),
    ("shapes", "(1,2)", "a tuple of tuples of integers, as ((1, 2),)"),
    ("shapes", "((1,'a'),)", "a tuple of tuples of integers, as ((1, 2),)"),
  ],
)
def test_a_value_of_another_type_is_refused(key, value, wanted):
  said = f"--config.{key}={value}: {key} takes {wanted}, not {value!r}"
  apart = [f"-config.{key}", value] if value and key != "greedy" else None
  for argv in filter(None, ([f"--config.{key}={value}"], apart)):
    with pytest.raises(errors.InputError) as caught:
      _check(*argv)
    assert str(caught.value) == said


def test_a_group_is_not_set_at_once():
  with pytest.raises(errors.InputError) as caught:
    _check("--config.group=3")
  assert str(caught.value) == (
    "--config.group=3: group is a group; its keys are group.a, group.b"
  )


def test_values_of_the_type_are_taken():
  for value in (
    *("samples=7", "samples=0x10", "rate=1", "rate=1e-3", "greedy=true"),
    *("greedy", "name=", "name=3", "budgets=(1,)", "budgets=5", "budgets=[1]"),
    *("budgets=()", "rates=(1,0.5)", "methods=deep", "methods=('a','b')"),
    *("shapes=((1,2),(3,))", "group.b=4"),
  ):
    _check(f"--config.{value}")
  _check("--noconfig.greedy")
