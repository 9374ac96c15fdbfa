"""Products in bfloat16 beside attention in float32."""

import dataclasses
import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from launch import precision
from tts_jax import errors, types
from tts_jax.model import config, transformer

_CONFIG = config.TransformerConfig(
  vocabulary=32,
  width=16,
  layers=2,
  heads=4,
  kv_heads=2,
  head_width=8,
  mlp_width=24,
  max_positions=64,
  dtype="bfloat16",
)


def _model(**changes):
  cfg = dataclasses.replace(_CONFIG, **changes)
  lm = transformer.Transformer(cfg)
  draw = lambda leaf: 3 * leaf.astype(jnp.bfloat16).astype(cfg.dtype)  # noqa: E731
  return lm, jax.tree.map(draw, lm.init(jax.random.key(0)))


def _decoded(lm, params):
  """Logits [2, 3, 5, V] of tokens read one by one, and the rows."""
  prompts = types.Prompts(
    tokens=jnp.asarray([[3, 5, 7, 9], [2, 4, 0, 0]]),
    length=jnp.asarray([4, 2]),
    uid=jnp.zeros(2, jnp.uint32),
  )
  _, state = jax.jit(lm.prefill)(params, prompts)
  tokens = jnp.arange(30).reshape(2, 3, 5)
  rows, logits = lm.init_rows(2, 3, 5), []
  for column in range(5):
    output, rows = jax.jit(lm.decode)(params, state, rows, tokens[..., column])
    logits.append(output.logits)
  return np.stack(logits, 2), state, rows


@pytest.mark.parametrize("changes", [{}, {"qk_norm": True, "qkv_bias": True}])
def test_products_alone_are_rounded_beside_a_wide_cache(changes):
  exact, *_ = _decoded(*_model(**changes, dtype="float32"))
  wide, state, rows = _decoded(*_model(**changes, cache_dtype="float32"))
  for leaf in (*state.keys, *state.values, *rows.keys, *rows.values):
    assert leaf.dtype == jnp.float32
  off = np.abs(wide - exact).mean() / np.abs(exact).mean()
  assert 0 < off < 0.02


def test_a_wide_cache_changes_nothing_of_float32():
  plain, *_ = _decoded(*_model(dtype="float32"))
  wide, *_ = _decoded(*_model(dtype="float32", cache_dtype="float32"))
  np.testing.assert_array_equal(wide, plain)


def _conversions(lm):
  """Of whole caches, in the program of a step that is given its rows."""
  params = jax.eval_shape(lm.init, jax.random.key(0))
  narrow = lambda leaf: jax.ShapeDtypeStruct(leaf.shape, lm.config.dtype)  # noqa: E731
  params = jax.tree.map(narrow, params)
  prompts = types.Prompts(
    tokens=jnp.zeros((2, 4), jnp.int32),
    length=jnp.full(2, 4),
    uid=jnp.zeros(2, jnp.uint32),
  )
  _, state = jax.eval_shape(lm.prefill, params, prompts)
  rows = jax.eval_shape(functools.partial(lm.init_rows, 2, 3, 5))
  tokens = jax.ShapeDtypeStruct((2, 3), jnp.int32)
  step = jax.jit(lm.decode, donate_argnums=2)
  text = step.lower(params, state, rows, tokens).compile().as_text()
  whole = r"= (?:bf16|f32)\[2,3,2,(?:8,5|5,8)\]\S* convert\("
  return len(re.findall(whole, text))


def test_a_step_on_a_cpu_converts_no_cache():
  lm, _ = _model()
  fast = precision.fast(lm, "cpu")
  assert _conversions(fast) == 0
  # Why there is `fast`: once this fails, it is of no use.
  assert _conversions(lm) > 0


def test_caches_are_as_the_device_has_them_fast():
  lm, _ = _model()
  assert precision.fast(lm, "cpu").config.cache_dtype == "float32"
  for platform in ("tpu", "gpu"):
    assert precision.fast(lm, platform) == lm
  held, _ = _model(cache_dtype="int8")
  assert precision.fast(held, "cpu") == held
  exact, _ = _model(dtype="float32")
  assert precision.fast(exact, "cpu") == exact
  assert precision.shaped(lm, "weights", "cpu").config.weight_dtype == "int8"
  assert precision.shaped(lm, "weights", "cpu").config.cache_dtype == "float32"
  assert precision.shaped(lm, "both", "cpu").config.cache_dtype == "int8"


def test_other_caches_are_refused():
  with pytest.raises(errors.InputError, match="'int8', 'float32' or empty"):
    _model(cache_dtype="bfloat16")
