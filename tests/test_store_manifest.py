"""A config is hashed stably, written first, and never mixed with another."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tts_jax import errors
from tts_jax.store import manifest

CONFIG = {"samples": 4, "sampler": {"temperature": 0.8, "top_p": 1.0}}


def _changed(**sampler):
  return {**CONFIG, "sampler": {**CONFIG["sampler"], **sampler}}


def test_hash_ignores_order_and_tuples_only():
  turned = {"sampler": {"top_p": 1.0, "temperature": 0.8}, "samples": 4}
  assert manifest.config_hash(CONFIG) == manifest.config_hash(turned)
  assert manifest.config_hash({"a": (1, 2)}) == manifest.config_hash(
    {"a": [1, 2]}
  )
  others = [
    _changed(top_p=0.9),
    _changed(top_p=1),
    _changed(top_p=True),
    _changed(top_p="1.0"),
    _changed(extra=None),
    {**CONFIG, "samples": 5},
    {"samples": 4},
  ]
  hashes = {manifest.config_hash(each) for each in [CONFIG, *others]}
  assert len(hashes) == 1 + len(others)


def test_hash_is_the_same_in_another_process():
  code = (
    "from tts_jax.store import manifest;"
    f"print(manifest.config_hash({CONFIG!r}))"
  )
  seen = {
    subprocess.run(
      [sys.executable, "-c", code],
      capture_output=True,
      text=True,
      check=True,
      env={**os.environ, "PYTHONHASHSEED": seed},
    ).stdout.strip()
    for seed in ("1", "2")
  }
  assert seen == {manifest.config_hash(CONFIG)}


@pytest.mark.parametrize(
  ("value", "named"),
  [
    (np.float32(1), "sampler.top_p holds a float32"),
    (float("nan"), "sampler.top_p is nan"),
    ({"x": {1, 2}}, "sampler.top_p.x holds a set"),
    ([0, object()], r"sampler.top_p\[1\] holds a object"),
    ({3: 1}, "sampler.top_p.3 is not a string"),
  ],
)
def test_other_than_plain_data_is_refused_by_key(value, named):
  with pytest.raises(errors.InputError, match=named):
    manifest.config_hash(_changed(top_p=value))


def test_claim_writes_then_accepts_the_same(tmp_path):
  path = tmp_path / "config.json"
  first = manifest.claim(path, CONFIG)
  assert manifest.read_config(path) == CONFIG
  written = path.read_bytes()
  assert manifest.claim(path, CONFIG) == first == manifest.config_hash(CONFIG)
  assert path.read_bytes() == written


def test_claim_names_each_key_that_differs(tmp_path):
  path = tmp_path / "config.json"
  manifest.claim(path, CONFIG)
  written = path.read_bytes()
  new = {"samples": 8, "sampler": {"temperature": 0.8}, "seed": "x"}
  with pytest.raises(errors.InputError) as caught:
    manifest.claim(path, new)
  line = str(caught.value)
  assert "samples was 4, is now 8" in line
  assert "sampler.top_p was 1.0, is now absent" in line
  assert 'seed was absent, is now "x"' in line
  assert "temperature" not in line
  assert "\n" not in line
  assert path.read_bytes() == written


def test_claim_counts_what_it_does_not_name(tmp_path):
  path = tmp_path / "config.json"
  manifest.claim(path, {f"k{i}": i for i in range(20)})
  with pytest.raises(errors.InputError, match="and 12 more"):
    manifest.claim(path, {f"k{i}": -1 - i for i in range(20)})


@pytest.mark.parametrize(
  ("text", "named"),
  [
    ("{", "not JSON"),
    ("\xff", "not UTF-8 at byte 0"),
    ("[1]", "must be a JSON object"),
    ('{"config": 3}', "not the config of a run"),
    (json.dumps({"config": {}, "schema_version": 99}), "schema version 99"),
    (json.dumps({"config": {}}), "schema version None"),
  ],
)
def test_claim_refuses_a_strange_file(tmp_path, text, named):
  path = tmp_path / "config.json"
  path.write_bytes(text.encode("latin-1"))
  with pytest.raises(errors.InputError, match=named):
    manifest.claim(path, {})


def test_another_mesh_goes_on_under_the_first_ones_hash(tmp_path):
  path = tmp_path / "config.json"
  first = {"seed": 1, "mesh": {"data": 2}}
  other = {"seed": 1, "mesh": {"data": 8}}
  claimed = manifest.claim(path, first)
  assert manifest.claim(path, other) == claimed == manifest.config_hash(first)
  assert manifest.read_config(path) == first
  with pytest.raises(errors.InputError, match=r"config: seed was 1, is now 2;"):
    manifest.claim(path, {**other, "seed": 2})
  claimed = manifest.claim(path, other, replace=True)
  assert claimed == manifest.config_hash(other)
