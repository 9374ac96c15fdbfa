"""Meshes change where states are, and no token."""

import os

import jax
import kill_harness

from tts_jax import sharding
from tts_jax.model import cache as cache_lib


def test_samples_and_searches_are_those_of_one_device(cache):
  # Devices are fixed at start-up, so another process has eight.
  command = kill_harness.python("tests/on_meshes.py")
  paths = os.pathsep.join(str(kill_harness.ROOT / at) for at in (".", "tests"))
  env = {**cache, "JAX_NUM_CPU_DEVICES": "8", "PYTHONPATH": paths}
  done = kill_harness.run(command, env)
  assert done.returncode == 0, done.stderr
  assert len(done.stdout.splitlines()) == 3


def test_caches_split_over_questions_and_heads():
  mesh = jax.sharding.AbstractMesh((2, 1, 4), ("data", "fsdp", "model"))
  rows = cache_lib.init(6, 3, 5, layers=1, kv_heads=4, head_width=8)
  prompts = cache_lib.PromptState(
    keys=(rows.keys[0][:, 0],),
    values=(rows.values[0][:, 0],),
    length=rows.length[:, 0],
  )
  state = {"rows": rows, "prompts": prompts, "other": rows.length, "none": None}
  names = cache_lib.logical_axes(state)
  found = sharding.tree(mesh, names, state)
  assert tuple(found["rows"].keys[0].spec) == (
    "data",
    None,
    "model",
    None,
    None,
  )
  assert tuple(found["rows"].values[0].spec) == (
    "data",
    None,
    "model",
    None,
    None,
  )
  assert tuple(found["prompts"].keys[0].spec) == ("data", "model", None, None)
  assert tuple(found["prompts"].length.spec) == ("data",)
  assert tuple(found["other"].spec) == ("data", None)
  # What a mesh does not divide stays whole.
  few = sharding.tree(mesh, names, jax.tree.map(lambda x: x[:5], state))
  assert tuple(few["other"].spec) == (None, None)
