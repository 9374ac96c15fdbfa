"""Configs that name data and machines say what is so."""

import importlib
import math
import pathlib
import re

import pytest
from ml_collections import config_dict

from configs import gsm8k, math500, math_train
from launch import device_memory, pooling, slices

_FOLDER = pathlib.Path(pooling.__file__).parent.parent / "configs"
_GIB = 2**30


def _pairs():
  """Names of configs of a published model and verifier."""
  return sorted(
    path.stem
    for path in _FOLDER.glob("*.py")
    if "published.pair(" in path.read_text(encoding="utf-8")
  )


@pytest.mark.parametrize("name", _pairs())
def test_a_pair_fits_the_machine_that_it_names(name):
  module = importlib.import_module(f"configs.{name}")
  config = module.get_config()
  named = r"For (\w+)-(\d+), (\S+): ([\d.]+) GiB a chip"
  chip, count, topology, said = re.search(named, module.__doc__).groups()
  assert config.slice == topology
  kind, _, sides = topology.partition(":")
  assert (kind, math.prod(map(int, sides.split("x")))) == (chip, int(count))
  assert int(count) == config.mesh.fsdp * config.mesh.model
  needed = sum(size for _, size in device_memory.parts(config)) / _GIB
  assert needed == pytest.approx(float(said), abs=0.051)
  assert needed < device_memory.USED * device_memory.CHIPS[chip]
  # Both folders, as the commands that fetch them put them there.
  for folder in (config.model, config.verifier):
    assert re.search(rf"--local-dir {re.escape(folder)}\n", module.__doc__)


def test_a_config_that_names_a_slice_has_it_as_a_key():
  named = {name for name, _ in slices.named()}
  assert named == set(_pairs())
  for path in _FOLDER.glob("*.py"):
    says = re.search(r"[Ff]or v\d\w+-\d", path.read_text(encoding="utf-8"))
    assert bool(says) == (path.stem in named), path


def test_every_format_of_a_verifier_has_a_pair():
  formats = {
    importlib.import_module(f"configs.{name}").get_config().prm.format
    for name in _pairs()
  }
  assert formats == {"qwen_math", "math_shepherd", "rlhflow", "skywork"}


def _questions(config, path, find=pooling.find_questions):
  config.questions.path = str(path)
  with config.unlocked():
    config.prompt = config_dict.ConfigDict({"format": "plain"})
  return find(config)[1]


def test_math500_is_told_apart_by_level_and_subject(data_dir):
  config = math500.get_config()
  found = _questions(config, data_dir / "math" / "math500_test.jsonl")
  assert len(found) == 500
  assert found[0].id == "test/precalculus/807.json"
  assert {one.meta["level"] for one in found} == {1, 2, 3, 4, 5}
  assert len({one.meta["subject"] for one in found}) == 7


def test_math_splits_into_parts_that_stay(data_dir):
  path = data_dir / "math" / "math12k_train.jsonl"

  def part(split):
    config = math_train.get_config()
    config.questions.split = split
    found = _questions(config, path, pooling.find_training)
    return {one.id for one in found}

  train, held_out = part("train"), part("validation")
  assert not train & held_out
  assert len(train) + len(held_out) == 12_000
  assert len(held_out) == pytest.approx(1200, abs=100)
  test = _questions(math500.get_config(), data_dir / "math/math500_test.jsonl")
  assert not {one.id for one in test} & (train | held_out)


def test_a_question_keeps_its_part_whatever_else_is_there(data_dir, tmp_path):
  lines = (data_dir / "math" / "math12k_train.jsonl").read_text().splitlines()
  file = tmp_path / "some.jsonl"
  config = math_train.get_config()
  config.questions.split = "validation"

  def ids(chosen):
    file.write_text("\n".join(chosen))
    found = _questions(config, file, pooling.find_training)
    return {one.id for one in found}

  assert ids(lines[:50]) == ids(lines[:200]) & ids(lines[:50])


def test_gsm8k_has_its_answers_behind_the_mark(data_dir):
  config = gsm8k.get_config()
  found = _questions(config, data_dir / "gsm8k" / "test.jsonl")
  assert len(found) == 1319
  assert found[0].answer == "18"
  assert found[0].solution.endswith("#### 18")


def test_memory_counts_what_is_known_of_small_models(data_dir):
  config = math500.get_config()
  config.model = str(data_dir / "models" / "stories260K-hf")
  config.engine.groups, config.engine.rows, config.search.rows = 2, 3, 5
  config.limits.prompt_tokens, config.limits.max_tokens = 10, 20
  found = dict(device_memory.parts(config))
  weights, caches, copy = found.values()
  assert weights == 4 * 260_032
  # 6 rows, keys and values, 5 layers of 4 heads of 8.
  assert caches == copy == 6 * (10 + 20) * 2 * 5 * 4 * 8 * 4
