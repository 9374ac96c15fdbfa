"""Benches run, and write what they print."""

import json

import kill_harness
import numpy as np
import pytest
import search_models

from launch import entrant, racing, throughput
from tts_jax import errors
from tts_jax.search import strategies

_SMALL = (
  "--config.model.layers=1",
  "--config.model.width=16",
  "--config.model.heads=2",
  "--config.model.kv_heads=1",
  "--config.model.head_width=8",
  "--config.model.mlp_width=16",
  "--config.model.vocabulary=40",
  "--config.decode=((1,2,8),(2,1,4))",
  "--config.tokens=4",
  "--config.repeats=2",
)


def test_each_shape_has_its_figures(tmp_path, cache):
  command = ("-m", "launch.bench", f"--out={tmp_path}", *_SMALL)
  done = kill_harness.run(kill_harness.python(*command), cache)
  assert done.returncode == 0, done.stderr
  told = json.loads((tmp_path / "bench.json").read_text())
  assert [one["rows"] for one in told["decode"]] == [2, 1]
  for one in told["decode"]:
    rate = one["tokens_per_second"]
    assert 0 < rate["low"] <= rate["median"] <= rate["high"]
    assert one["share_of_floor"] > 0
    assert f"{rate['median']:,.0f}" in done.stdout
  # Keys and values of 8 prompt tokens, and of 2 rows halfway.
  assert told["decode"][0]["kv_bytes"] == (8 + 2 * 2) * 2 * 8 * 4
  assert told["machine"]["flops_per_second"] > 0


def test_turns_alternate_and_the_first_is_not_counted():
  called = []

  def way(name):
    def run():
      called.append(name)
      return float(len(called))

    return run

  found = racing.turns({"a": way("a"), "b": way("b")}, 2)
  assert called == list("ababab")
  assert {k: v.tolist() for k, v in found.items()} == {"a": [3, 5], "b": [4, 6]}
  assert throughput.spread(np.array([3.0, 1.0, 2.0])) == {
    "median": 2,
    "low": 1,
    "high": 3,
  }


def test_this_projects_entrant_draws_the_lengths_asked_for():
  lm, prompts = search_models.LM, [[1, 2, 3], [2, 1, 4]]
  params = search_models.weights(search_models.make(strategies.BestOfN(1))).lm
  run = entrant.ours(lm, params, prompts, [3, 1, 5, 2], 2, 0)
  assert run() > 0
  greedy = entrant.greedy(lm, params, prompts[0], 4)
  assert len(greedy) == 4
  assert greedy == entrant.greedy(lm, params, prompts[0], 6)[:4]


def test_real_lengths_are_those_of_the_pool_that_ships():
  found = racing.lengths(500, np.random.default_rng(0))
  assert len(found) == 500
  assert 1 <= min(found) < max(found) <= 128


def test_models_that_differ_are_not_raced():
  with pytest.raises(errors.InputError, match="greedy tokens differ"):
    racing.check([1, 2], [1, 3])
