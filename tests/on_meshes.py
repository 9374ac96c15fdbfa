"""Samples and searches on meshes of eight devices, compared with one's.

A program: devices are fixed at start-up. Prints what it compared.
"""

import functools
import sys

import chex
import decode_oracle
import jax
import numpy as np
import search_models

from tts_jax import sharding, types
from tts_jax.decode import engine as decode_engine
from tts_jax.decode import loop, sampling
from tts_jax.model import config, transformer
from tts_jax.search import engine as search_engine
from tts_jax.search import setup, strategies
from tts_jax.verify import reading, reward

LM = transformer.Transformer(
  config.TransformerConfig(
    vocabulary=96,
    width=32,
    layers=2,
    heads=8,
    kv_heads=4,
    head_width=8,
    mlp_width=64,
    max_positions=256,
  )
)
# Data, fsdp, model; the last is one that KV heads do not split over.
MESHES = ((4, 1, 2), (2, 2, 2), (1, 1, 8))
LIMITS = loop.Limits(max_tokens=12, end_token=0)
REQUESTS = decode_oracle.requests(12, LM.vocabulary)
KEY = jax.random.key(3)
GROUPS, ROWS, PROMPT = 8, 3, 8


def verifier():
  """One with blocks of its own on the model's states."""
  sizes = dict(layers=1, width=32, token_width=8, mlp_width=16, predicts=True)
  return reward.above(LM, {3, 7, 11, 40}, **sizes)


def split(params, lm, mesh):
  """Parameters on a mesh; on none where it is None."""
  if mesh is None:
    return params
  where = sharding.tree(mesh, lm.logical_axes(), params)
  return jax.device_put(params, where)


def sampled(params, sampler):
  """All samples, by question."""
  run = decode_engine.make(
    params,
    LM,
    KEY,
    sampler=sampler,
    limits=LIMITS,
    groups=GROUPS,
    rows=ROWS,
    samples=5,
    prompt_tokens=PROMPT,
    steps=7,
    compiler=jax.jit,
  )
  return {one.request.id: one.candidates for one in run(REQUESTS)}


def searched(params, strategy):
  """All results, by question."""
  judge = verifier()
  weights = setup.Weights(lm=params, verifier=judge.init(jax.random.key(5)))
  one = search_models.make(
    strategy,
    lm=LM,
    verifier=judge,
    limits=LIMITS,
    delimiters=frozenset(judge.config.delimiters),
  )
  sizes = dict(rows=32, prompt_tokens=PROMPT, steps=9, compiler=jax.jit)
  begin = search_engine.make(weights, one, **sizes)
  return {found.request.id: found.search for found in begin(KEY)(REQUESTS)}


def read(params):
  """Probabilities of tokens read in two passes, rows copied in between."""
  rng = np.random.default_rng(0)
  prm = reading.Static(LM, lambda head, x: jax.nn.sigmoid(x @ head))
  both = {"backbone": params, "head": rng.normal(size=LM.config.width)}
  room = dict(groups=GROUPS, rows=ROWS, prompt_tokens=PROMPT, row_tokens=16)
  run = reading.programs(both, prm, **room, compiler=jax.jit)
  rows, prompts = run.rows.begin(), run.prompts.begin()
  shape = (GROUPS, ROWS)
  for group in range(GROUPS):
    tokens = rng.integers(0, LM.vocabulary, (1, PROMPT), np.int32)
    args = np.int32(group), tokens, np.int32(PROMPT)
    prompts = run.admit(prompts, params, *args)
  told = []
  for length in (0, 6):
    tokens = rng.integers(0, LM.vocabulary, (*shape, 6), np.int32)
    layout = [np.full(shape, n, np.int32) for n in (PROMPT, length, 6)]
    layout.insert(2, tokens)
    rows, found = run.extend(rows, both, prompts, *layout)
    told.append(np.asarray(found))
    rows = run.copy(rows, np.tile(np.int32([0, 0, 2]), (GROUPS, 1)))
  return told, rows


def check_split(tree, mesh):
  """Every array of a state stands where its names say."""
  data, model = mesh.shape["data"], mesh.shape["model"]
  for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
    want = list(leaf.shape)
    want[0] //= data
    heads = {4: 1, 5: 2}.get(leaf.ndim)
    if heads and LM.config.kv_heads % model == 0:
      want[heads] //= model
    found = leaf.sharding.shard_shape(leaf.shape)
    assert found == tuple(want), (jax.tree_util.keystr(path), found, want)


def carried(params, mesh):
  """A state begun, filled and decoded, in its place after each."""
  run = decode_engine.programs(
    params,
    LM,
    sampler=sampling.Categorical(),
    limits=LIMITS,
    groups=GROUPS,
    rows=ROWS,
    samples=5,
    prompt_tokens=PROMPT,
    steps=2,
    compiler=jax.jit,
  )
  state = run.placed.begin()
  check_split(state, mesh)
  prompt = types.Prompts(
    tokens=np.ones((1, PROMPT), np.int32),
    length=np.full(1, PROMPT, np.int32),
    uid=np.zeros(1, np.uint32),
  )
  state = run.admit(params, state, np.int32(5), prompt, np.int32(4))
  check_split(state, mesh)
  assert np.asarray(state.active).sum(1).tolist() == [0] * 5 + [3, 0, 0]
  state, usage = run.chunk(params, state, KEY)
  check_split(state, mesh)
  assert int(usage.steps) == 2


def main():
  """Every mesh against one device."""
  assert len(jax.devices()) == 8
  # Drawn parameters are near 0 and would make all distributions flat.
  drawn = jax.tree.map(lambda leaf: 4 * leaf, LM.init(jax.random.key(0)))
  drawn = jax.device_get(drawn)
  ways = {
    "sampled": functools.partial(sampled, sampler=sampling.make(0.7, 0.9)),
    "ahead": functools.partial(
      searched, strategy=strategies.Lookahead(4, 2, 1)
    ),
  }
  whole = {name: way(drawn) for name, way in ways.items()}
  told = read(drawn)[0]
  for sizes in MESHES:
    mesh = sharding.mesh(data=sizes[0], fsdp=sizes[1], model=sizes[2])
    params = split(drawn, LM, mesh)
    carried(params, mesh)
    for name, way in ways.items():
      found = way(params)
      assert found.keys() == whole[name].keys()
      for id, one in found.items():
        other = whole[name][id]
        pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
        for left, right in pairs:
          if np.issubdtype(np.asarray(left).dtype, np.floating):
            np.testing.assert_allclose(left, right, atol=1e-4)
          else:
            np.testing.assert_array_equal(left, right)
    again, rows = read(params)
    check_split(rows, mesh)
    chex.assert_trees_all_close(again, told, atol=3e-5)
    print(*sizes, flush=True)


if __name__ == "__main__":
  sys.exit(main())
