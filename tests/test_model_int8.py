"""Weights and caches in 8 bits against the numbers that they stand for."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import model_oracle
import numpy as np
import pytest
from jax import sharding as jax_sharding

from launch import eight_bit, kv_cache
from tts_jax import errors, types
from tts_jax.decode import engine, loop, sampling, stream
from tts_jax.model import attention, cache, config, int8, transformer
from tts_jax.scaling import roofline

_CONFIG = config.TransformerConfig(
  vocabulary=24,
  width=16,
  layers=2,
  heads=4,
  kv_heads=2,
  head_width=8,
  mlp_width=20,
  max_positions=64,
)


def _model(**changes):
  lm = transformer.Transformer(dataclasses.replace(_CONFIG, **changes))
  drawn = dataclasses.replace(lm.config, weight_dtype="", cache_dtype="")
  params = model_oracle.draw(transformer.Transformer(drawn))
  return lm, int8.parameters(params) if lm.config.weight_dtype else params


def _numbers(tree, shared):
  """A tree of arrays; `shared` says which axes of one share a scale."""

  def one(path, node):
    if not isinstance(node, int8.Scaled):
      return node
    axes = shared(path)
    return node.values * jnp.expand_dims(node.scale, axes)

  return jax.tree_util.tree_map_with_path(
    one, tree, is_leaf=lambda node: isinstance(node, int8.Scaled)
  )


def _summed(path):
  name = path[-1].key
  return {"embedding": (1,), "out": (0, 1, 2)}.get(name, (0,))


def _draw(*shape, seed=0):
  rng = np.random.default_rng(seed)
  return jnp.asarray(rng.normal(size=shape), jnp.float32)


def test_a_number_is_off_by_half_a_step_at_most():
  x = _draw(5, 7, 3) * jnp.asarray([1e-4, 1.0, 100.0])
  found = int8.scaled(x, 1)
  assert found.shape == x.shape
  assert found.scale.shape == (5, 3)
  back = found.values * found.scale[:, None]
  assert (abs(back - x) <= 0.5001 * found.scale[:, None]).all()
  # The largest is held as it is, and zeros are zeros.
  np.testing.assert_allclose(abs(back).max(1), abs(x).max(1), rtol=1e-6)
  np.testing.assert_array_equal(int8.scaled(0 * x, 1).values, 0)


@pytest.mark.parametrize("tied", [True, False])
def test_a_model_reads_with_the_weights_that_8_bits_stand_for(tied):
  lm, held = _model(weight_dtype="int8", tied=tied)
  params = _numbers(held, _summed)
  assert params["layer_0"]["qkv"].dtype == jnp.float32
  tokens = jnp.arange(24).reshape(2, 12)
  found = jax.jit(lm.forward)(held, tokens).logits
  np.testing.assert_allclose(
    found, jax.jit(lm.forward)(params, tokens).logits, rtol=1e-5, atol=1e-5
  )
  exact = jax.jit(lm.forward)(_model(tied=tied)[1], tokens).logits
  off = abs(found - exact).max() / abs(exact).max()
  assert 0 < off < 0.1
  kinds = {leaf.dtype.name for leaf in jax.tree.leaves(held) if leaf.ndim > 2}
  assert kinds <= {"int8", "float32"}
  assert held["layer_1"]["down"].values.dtype == jnp.int8


def _caches(lead):
  """Keys [..., K, H, S] and values [..., K, S, H], in 8 bits."""
  K, H, S = 2, 8, 6
  return (
    int8.scaled(_draw(*lead, K, H, S, seed=1), -2),
    int8.scaled(_draw(*lead, K, S, H, seed=2), -1),
  )


_HOW = attention.Scoring(scale=0.3, cap=5.0)


def _one_row(prompt, row):
  query = _draw(2, 3, 2, 2, 8, seed=3)
  lengths = jnp.asarray([6, 3]), jnp.asarray([[1, 4, 6], [2, 2, 5]])
  return attention.over_prompt_and_row(
    query, (*prompt, lengths[0]), (*row, lengths[1]), _HOW
  )


def _block(prompt, row):
  del row
  query, fresh = _draw(2, 4, 2, 2, 8, seed=3), _draw(2, 4, 2, 8, seed=4)
  return attention.over_prompt_and_block(
    query, fresh, fresh, (*prompt, jnp.asarray([6, 3])), _HOW
  )


def _several(prompt, row):
  query = _draw(2, 3, 2, 2, 2, 8, seed=3)
  lengths = jnp.asarray([6, 3]), jnp.asarray([[0, 4, 3], [2, 2, 1]])
  return attention.over_prompt_and_rows(
    query, (*prompt, lengths[0]), (*row, lengths[1]), _HOW
  )


@pytest.mark.parametrize("attend", [_one_row, _block, _several])
def test_attention_reads_the_keys_and_values_that_8_bits_stand_for(attend):
  held = _caches((2,)), _caches((2, 3))

  def axes(path):
    return (-1,) if path[-1].idx else (-2,)

  want = attend(*_numbers(held, axes))
  np.testing.assert_allclose(attend(*held), want, rtol=1e-5, atol=1e-6)


def _prompts():
  return types.Prompts(
    tokens=jnp.asarray([[3, 5, 7, 9], [2, 4, 0, 0]]),
    length=jnp.asarray([4, 2]),
    uid=jnp.zeros(2, jnp.uint32),
  )


def test_tokens_read_one_by_one_or_together_leave_one_cache():
  lm, params = _model(cache_dtype="int8")
  _, state = jax.jit(lm.prefill)(params, _prompts())
  assert state.keys[0].values.dtype == jnp.int8
  tokens = jnp.arange(18).reshape(2, 3, 3)
  rows, logits = lm.init_rows(2, 3, 5), []
  for column in range(3):
    output, rows = jax.jit(lm.decode)(params, state, rows, tokens[..., column])
    logits.append(output.logits)
  empty, count = lm.init_rows(2, 3, 5), jnp.full((2, 3), 3)
  together, others = jax.jit(lm.extend_rows)(
    params, state, empty, tokens, count
  )
  np.testing.assert_allclose(
    jnp.stack(logits, 2), together.logits, rtol=1e-4, atol=1e-4
  )
  chex.assert_trees_all_close(rows, others, atol=1)  # A step, of integers.
  # As the numbers have it, nearly.
  exact = _model()[0]
  _, plain = jax.jit(exact.prefill)(params, _prompts())
  want, _ = jax.jit(exact.extend_rows)(
    params, plain, exact.init_rows(2, 3, 5), tokens, count
  )
  off = abs(together.logits - want.logits).max() / abs(want.logits).max()
  assert 0 < off < 0.1


def test_rows_of_8_bits_are_copied_and_overwritten_whole():
  lm, params = _model(cache_dtype="int8")
  _, state = jax.jit(lm.prefill)(params, _prompts())
  tokens = jnp.arange(6).reshape(2, 3)
  _, rows = jax.jit(lm.decode)(params, state, lm.init_rows(2, 3, 5), tokens)
  copied = cache.copy_rows(rows, jnp.asarray([[0, 0, 2], [0, 2, 2]]))
  for leaf, old in zip(
    jax.tree.leaves(copied.keys), jax.tree.leaves(rows.keys), strict=True
  ):
    np.testing.assert_array_equal(leaf[0, 1], old[0, 0])
    np.testing.assert_array_equal(leaf[1, 1], old[1, 2])
  _, block = jax.jit(lm.extend)(params, state, tokens)
  put = cache.put_rows(
    rows, block, jnp.arange(2), jnp.asarray([1, 2]), jnp.asarray([3, 2])
  )
  assert put.length.tolist() == [[1, 3, 1], [1, 1, 2]]
  for whole, part in ((put.keys, block.keys), (put.values, block.values)):
    np.testing.assert_array_equal(
      whole[1].scale[0, 1, :, :3], part[1].scale[0, 0]
    )
  np.testing.assert_array_equal(
    put.keys[0].values[1, 2, ..., :3], block.keys[0].values[1, 0]
  )
  np.testing.assert_array_equal(
    put.values[0].values[1, 2, :, :3], block.values[0].values[1, 0]
  )


def _samples(lm, params, groups, rows):
  draw = engine.make(
    params,
    lm,
    jax.random.key(0),
    sampler=sampling.Categorical(),
    limits=loop.Limits(max_tokens=8, end_token=0),
    groups=groups,
    rows=rows,
    samples=5,
    prompt_tokens=4,
    steps=3,
    compiler=jax.jit,
  )
  asked = [
    stream.Request(id=str(index), uid=index, tokens=[3, 5, index + 1])
    for index in range(3)
  ]
  found = {one.index: one.candidates.tokens for one in draw(asked)}
  return np.stack([found[index] for index in range(3)])


def test_samples_do_not_depend_on_how_rows_stand():
  lm, params = _model(weight_dtype="int8", cache_dtype="int8")
  want = _samples(lm, params, 1, 1)
  np.testing.assert_array_equal(_samples(lm, params, 2, 3), want)
  assert len(np.unique(want)) > 8


@pytest.mark.parametrize("tied", [True, False])
def test_scales_are_split_as_their_kernels_are(tied):
  lm, held = _model(weight_dtype="int8", tied=tied)
  axes = lm.logical_axes()
  chex.assert_trees_all_equal_structs(
    jax.tree.map(lambda _: 0, held), jax.tree.map(lambda _: 0, axes)
  )
  spec = jax_sharding.PartitionSpec
  assert axes["layer_0"]["out"].scale == spec("embed")
  assert axes["layer_0"]["qkv"].scale == spec("kv_heads", "group", "head")
  for leaf, names in zip(
    jax.tree.leaves(held), jax.tree.leaves(axes), strict=True
  ):
    assert leaf.ndim == len(names)
  rows = lm.init_rows(1, 1, 2)
  assert rows.keys[0].dtype == jnp.float32
  lm, _ = _model(cache_dtype="int8")
  named = cache.logical_axes(lm.init_rows(1, 1, 2)).keys[0]
  assert named.scale == spec("questions", "rows", "kv_heads", "slots")
  assert named.values == spec("questions", "rows", "kv_heads", "head", "slots")


def test_bytes_are_those_of_the_floor():
  lm, held = _model(weight_dtype="int8", cache_dtype="int8")
  work = roofline.Decoding(
    cfg=lm.config, questions=2, rows=3, prompt=0, suffix=5
  )
  assert kv_cache.sizes(lm.init_rows(2, 3, 5)).rows == work.kv_bytes
  wide = roofline.Decoding(cfg=_CONFIG, questions=2, rows=3, prompt=0, suffix=5)
  assert work.weight_bytes == wide.weight_bytes / 4
  kernels = sum(
    leaf.size for leaf in jax.tree.leaves(held) if leaf.dtype == jnp.int8
  )
  assert kernels < work.weight_bytes < kernels + 100


def test_a_config_says_what_is_held_in_8_bits():
  lm, params = _model()
  for what, weights, kept in (
    ("", jnp.float32, jnp.float32),
    ("weights", jnp.int8, jnp.float32),
    ("cache", jnp.float32, jnp.int8),
    ("both", jnp.int8, jnp.int8),
  ):
    one, found = eight_bit.held(lm, params, what)
    assert jax.tree.leaves(found["layer_0"]["down"])[0].dtype == weights
    assert jax.tree.leaves(one.init_rows(1, 1, 1).keys)[0].dtype == kept
  with pytest.raises(
    errors.InputError, match="int8 is 'all'; it must be one of"
  ):
    eight_bit.held(lm, params, "all")
  with pytest.raises(errors.InputError, match="cache_dtype is 'int4'"):
    _model(cache_dtype="int4")
  with pytest.raises(errors.InputError, match="no parameters of a transformer"):
    int8.parameters({"scale": jnp.ones(3)})
