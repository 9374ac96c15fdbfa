"""As test_fuzz_readers, of what runs and trainings write, and of configs."""

import json

import hypothesis
import jax
import made_policies
import mutations
import pyarrow as pa
import pytest
import tiny_verifier
from absl import flags
from hypothesis import strategies as st
from ml_collections import config_flags

from launch import config_file
from tts_jax.scaling import plans, policy_file
from tts_jax.search import strategies
from tts_jax.store import atomic, manifest, packed, pool, run, shards
from tts_jax.verify import reward, saved


@pytest.fixture(scope="module")
def place(tmp_path_factory):
  return tmp_path_factory.mktemp("fuzz")


def test_policies(place):
  path = place / "policy.json"
  made = made_policies.choice
  policy_file.write(
    path,
    made_policies.policy(
      (
        made(plans.Sampled(4, "majority")),
        made(strategies.Beam(16, 4), less_baseline=None, flops=None),
      ),
      (
        made(plans.Sampled(4, "majority")),
        made(plans.RevisedSearch(strategies.Beam(8, 4)), value=None),
      ),
    ),
  )
  valid = json.loads(path.read_text())
  assert policy_file.load(path).budgets == (4, 16)

  @mutations.fuzz(150)
  @hypothesis.given(mutations.either(valid))
  def check(data):
    path.write_bytes(data)
    found = mutations.attempt(path, lambda: policy_file.load(path))
    if found is not None:
      # What is in it can be asked for, and be written again.
      for budget in found.budgets:
        chosen = policy_file.strategy_for(found, 0.3, budget)
        assert isinstance(chosen, policy_file.Choice)
      policy_file.write(place / "again.json", found)
      assert policy_file.load(place / "again.json") == found

  check()


_SCHEMA = pa.schema([pa.field("n", pa.int32(), nullable=False)])


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
  """A run with a stage of two shards, and what it is packed to."""
  place = tmp_path_factory.mktemp("stored")
  with run.Run.open(place / "run", {"a": 1, "b": {"c": [1, 2]}}) as folder:
    stage = folder.stage("drawn", _SCHEMA, "inputs")
    for batch in range(2):
      rows = [{"n": batch}, {"n": 7}]
      stage.write(batch, pa.Table.from_pylist(rows, _SCHEMA))
  packed.pack(
    place / "run",
    place / "packed",
    {"drawn": ()},
    made_for={"model": "hash"},
    commit="c",
  )
  return place


def test_manifests(stored):
  path = stored / "run" / "config.json"
  whole = path.read_bytes()

  @mutations.fuzz(60)
  @hypothesis.given(mutations.either(json.loads(whole)))
  def check(data):
    path.write_bytes(data)
    found = mutations.attempt(path, lambda: manifest.read_config(path))
    mutations.attempt(path, lambda: manifest.claim(path, {"a": 1}))
    assert path.read_bytes() == data
    assert found is None or isinstance(found, dict)

  check()
  path.write_bytes(whole)


def test_packed_runs(stored):
  folder = stored / "packed"
  path = folder / "packed.json"
  whole = path.read_bytes()

  @mutations.fuzz(60)
  @hypothesis.given(mutations.either(json.loads(whole)))
  def check(data):
    path.write_bytes(data)
    found = mutations.attempt(folder, lambda: packed.load(folder))
    if found is not None:
      assert found.differences(found.config, found.config) == []

  check()
  path.write_bytes(whole)


@pytest.mark.parametrize("renamed", [False, True])
def test_shards(stored, renamed):
  folder = stored / "run" / "drawn"
  path = min(folder.iterdir())
  whole = path.read_bytes()

  @mutations.fuzz(80)
  @hypothesis.given(mutations.of_bytes(whole))
  def check(data):
    # Bytes may be wrong and have the right name all the same.
    name = f"00000-{atomic.bytes_hash(data)}.parquet" if renamed else path.name
    (folder / name).write_bytes(data)
    found = mutations.attempt(folder, lambda: shards.read(folder))
    # Under the right name Parquet itself has the last word.
    assert found is None or data == whole or renamed
    mutations.attempt(folder, lambda: pool.load_pool(folder))
    (folder / name).unlink()

  path.unlink()
  try:
    check()
  finally:
    path.write_bytes(whole)


def test_cards_of_verifiers(tmp_path_factory):
  folder = tmp_path_factory.mktemp("verifier")
  verifier = reward.RewardModel(tiny_verifier.HEAD, None)
  params = verifier.init(jax.random.key(0))
  saved.save(folder, verifier, params, saved.Origin(tokenizer="t", model="m"))
  path = folder / saved.CARD

  @mutations.fuzz(12)
  @hypothesis.given(mutations.either(json.loads(path.read_bytes())))
  def check(data):
    path.write_bytes(data)
    mutations.attempt(folder, lambda: saved.load(folder))

  check()


_PYTHON = b"""
import ml_collections


def get_config():
  return ml_collections.ConfigDict({"samples": 4, "sampler": {"top_p": 1.0}})
"""


@pytest.fixture
def known_flags(monkeypatch):
  found = flags.FlagValues()
  config_flags.DEFINE_config_file("config", flag_values=found)
  monkeypatch.setattr(flags, "FLAGS", found)


@pytest.mark.usefixtures("known_flags")
def test_config_files(place):
  path = place / "mine.py"
  path.write_bytes(_PYTHON)
  default = config_file.read(str(path))
  assert default.samples == 4

  def read():
    found = config_file.read(str(path))
    config_file.check_keys(str(path), found, default)
    return found

  @mutations.fuzz(60)
  @hypothesis.given(mutations.of_bytes(_PYTHON))
  def check(data):
    path.write_bytes(data)
    found = mutations.attempt(path, read)
    assert found is None or {*found} == {"samples", "sampler"}

  check()

  @mutations.fuzz(60)
  @hypothesis.given(
    st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12)
  )
  def check_key(key):
    mutations.attempt(
      path,
      lambda: config_file.check_flags(
        str(path), default, [f"--config.{key}=1", f"--noconfig.{key}", key]
      ),
    )

  check_key()
