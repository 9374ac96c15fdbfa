"""Products in bfloat16 beside attention in float32."""

import dataclasses
import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tts_jax import errors, types
from tts_jax.model import config, embedded, head, huggingface, transformer
from tts_jax.verify import reading

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
_PROMPTS = types.Prompts(
  tokens=jnp.asarray([[3, 5, 7, 9], [2, 4, 0, 0]]),
  length=jnp.asarray([4, 2]),
  uid=jnp.zeros(2, jnp.uint32),
)


def _model(**changes):
  cfg = dataclasses.replace(_CONFIG, **changes)
  lm = transformer.Transformer(cfg)
  draw = lambda leaf: 3 * leaf.astype(jnp.bfloat16).astype(cfg.dtype)  # noqa: E731
  return lm, jax.tree.map(draw, lm.init(jax.random.key(0)))


def _decoded(lm, params):
  """Logits [2, 3, 5, V] of tokens read one by one, and the rows."""
  _, state = jax.jit(lm.prefill)(params, _PROMPTS)
  tokens = jnp.arange(30).reshape(2, 3, 5)
  rows, logits = lm.init_rows(2, 3, 5), []
  for column in range(5):
    output, rows = jax.jit(lm.decode)(params, state, rows, tokens[..., column])
    logits.append(output.logits)
  return np.stack(logits, 2), state, rows


@pytest.mark.parametrize(
  "changes",
  [
    {},
    {"qk_norm": True, "qkv_bias": True},
    {"post_norms": True, "windows": (2, None), "attention_cap": 50.0},
  ],
)
def test_products_alone_are_rounded_beside_float32_attention(changes):
  exact, *_ = _decoded(*_model(**changes, dtype="float32"))
  wide, state, rows = _decoded(*_model(**changes, attention_dtype="float32"))
  for leaf in (*state.keys, *state.values, *rows.keys, *rows.values):
    assert leaf.dtype == jnp.float32
  off = np.abs(wide - exact).mean() / np.abs(exact).mean()
  assert 0 < off < 0.02
  # What blocks add to stays in the dtype of products.
  lm, params = _model(**changes, attention_dtype="float32")
  output, _ = jax.eval_shape(lm.prefill, params, _PROMPTS)
  assert {str(one.dtype) for one in output.streams} == {"bfloat16"}


def test_a_cache_in_8_bits_goes_with_bfloat16_products():
  exact, *_ = _decoded(*_model(dtype="float32"))
  held, _, rows = _decoded(
    *_model(attention_dtype="float32", cache_dtype="int8")
  )
  assert rows.keys[0].values.dtype == jnp.int8
  off = np.abs(held - exact).mean() / np.abs(exact).mean()
  assert 0 < off < 0.05


def test_float32_attention_changes_nothing_of_float32():
  plain, *_ = _decoded(*_model(dtype="float32"))
  wide, *_ = _decoded(*_model(dtype="float32", attention_dtype="float32"))
  np.testing.assert_array_equal(wide, plain)


def _conversions(cfg):
  """Of whole caches, in the program of a step that is given its rows."""
  lm = transformer.Transformer(cfg)
  params = jax.eval_shape(lm.init, jax.random.key(0))
  narrow = lambda leaf: jax.ShapeDtypeStruct(leaf.shape, cfg.dtype)  # noqa: E731
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
  whole = r"= (?:bf16|f32)\[2,(?:3,2,8,5|3,2,5,8|2,8,4|2,4,8)\]\S* convert\("
  return len(re.findall(whole, text))


def test_a_step_on_a_cpu_converts_no_cache():
  assert _conversions(config.suited(_CONFIG, "cpu")) == 0
  # Why there is `suited`: once this fails, it is of no use.
  assert _conversions(_CONFIG) > 0


def test_attention_is_as_the_device_has_it_fast():
  found = config.suited(_CONFIG, "cpu")
  assert (found.attends_in, found.dtype) == ("float32", "bfloat16")
  for platform in ("tpu", "gpu"):
    assert config.suited(_CONFIG, platform) == _CONFIG
  exact = dataclasses.replace(_CONFIG, dtype="float32")
  assert config.suited(exact, "cpu") == exact


def test_a_loaded_model_is_suited_to_its_device():
  lm, params = huggingface.load(embedded.FOLDER)
  assert (lm.config.dtype, lm.config.attends_in) == ("bfloat16", "float32")
  logits, *_ = _decoded(lm, params)
  assert np.isfinite(logits).all()


def test_a_published_verifiers_prompts_are_as_its_rows():
  lm, params = _model(attention_dtype="float32")
  state = reading._no_prompts(lm, groups=2, rows=3, prompt_tokens=4)
  _, one = jax.eval_shape(lm.prefill, params, _PROMPTS)
  dtypes = lambda tree: {str(leaf.dtype) for leaf in jax.tree.leaves(tree)}  # noqa: E731
  assert dtypes(state.keys) == dtypes(one.keys) == {"float32"}
  blocks = dataclasses.replace(_CONFIG, attention_dtype="float32")
  rows = head.init_cache(blocks, 2, 3, 4)
  assert dtypes(rows.keys) == {"float32"}


def test_other_attention_is_refused():
  with pytest.raises(errors.InputError, match="attention_dtype is 'float16'"):
    _model(attention_dtype="float16")
