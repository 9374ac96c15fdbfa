"""Forward, prefill and decode of the transformer."""

import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
import model_oracle
import numpy as np
import pytest

from tts_jax import errors, types
from tts_jax.model import attention, config, transformer

_CONFIG = config.TransformerConfig(
  vocabulary=24,
  width=16,
  layers=2,
  heads=4,
  kv_heads=2,
  head_width=4,
  mlp_width=20,
  max_positions=256,
)


@functools.cache
def _model(**changes):
  cfg = config.TransformerConfig(**(vars(_CONFIG) | changes))
  lm = transformer.Transformer(cfg)
  return lm, model_oracle.draw(lm)


_forward = jax.jit(transformer.Transformer.forward, static_argnums=0)
_decode = jax.jit(transformer.Transformer.decode, static_argnums=0)
_prefill = jax.jit(transformer.Transformer.prefill, static_argnums=0)


def _tokens(*shape, seed=0):
  rng = np.random.default_rng(seed)
  return jnp.asarray(rng.integers(0, 24, shape), jnp.int32)


def _prompts(tokens, length):
  return types.Prompts(
    tokens=tokens,
    length=jnp.asarray(length, jnp.int32),
    uid=jnp.zeros(len(length), jnp.uint32),
  )


_ROPE = config.Llama3Rope(
  factor=8.0,
  low_freq_factor=1.0,
  high_freq_factor=4.0,
  original_max_positions=64,
)


@pytest.mark.parametrize("original", [64, 8192])
def test_stretched_rotations_are_those_of_the_published_definition(original):
  scaling = dataclasses.replace(_ROPE, original_max_positions=original)
  positions = np.array([0, 1, 30, 1000])
  cos, sin = attention.rotary_table(jnp.asarray(positions), 32, 1e4, scaling)
  rates = []
  for i in range(16):
    plain = model_oracle.frequency(i, 16, 1e4)
    want = model_oracle.frequency(i, 16, 1e4, scaling)
    angle = positions * want
    np.testing.assert_allclose(cos[:, i], np.cos(angle), atol=3e-4)
    np.testing.assert_allclose(sin[:, i], np.sin(angle), atol=3e-4)
    rates.append(plain / want)
  # The case has channels of all three kinds.
  assert rates[0] == 1
  assert rates[-1] == pytest.approx(8)
  assert any(1.1 < rate < 7.9 for rate in rates)


def test_forward_with_stretched_rotations_is_the_oracle():
  lm, params = _model(rope_scaling=_ROPE, head_width=8)
  tokens = _tokens(1, 40)
  logits = _forward(lm, params, tokens).logits
  want = model_oracle.forward(lm.config, params, np.asarray(tokens[0]))
  np.testing.assert_allclose(logits[0], want, atol=2e-4)
  plain, _ = _model(head_width=8)
  assert np.abs(_forward(plain, params, tokens).logits[0] - want).max() > 0.01


@pytest.mark.parametrize(
  ("fields", "said"),
  [
    ({"factor": 0.5}, "rope factor is 0.5; it must be at least 1"),
    ({"low_freq_factor": 4.0}, "low_freq_factor is 4.0; it must be above 0"),
    ({"low_freq_factor": 0.0}, "low_freq_factor is 0.0; it must be above 0"),
    ({"original_max_positions": 0}, "original_max_positions is 0"),
  ],
)
def test_an_impossible_stretching_is_refused(fields, said):
  with pytest.raises(errors.InputError, match=said):
    dataclasses.replace(_ROPE, **fields)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_forward_is_the_oracle(tied, kv_heads):
  lm, params = _model(tied=tied, kv_heads=kv_heads)
  tokens = _tokens(2, 7)
  output = _forward(lm, params, tokens)
  assert output.logits.dtype == jnp.float32
  assert output.hidden.shape == (2, 7, 16)
  for row in range(2):
    want = model_oracle.forward(lm.config, params, tokens[row])
    np.testing.assert_allclose(output.logits[row], want, rtol=1e-4, atol=1e-4)


def test_long_inputs_cross_blocks_of_queries():
  lm, params = _model(layers=1)
  tokens = _tokens(1, 150)
  want = model_oracle.forward(lm.config, params, tokens[0])
  found = _forward(lm, params, tokens).logits[0]
  np.testing.assert_allclose(found, want, rtol=1e-4, atol=1e-4)


def test_packed_segments_are_separate_sequences():
  lm, params = _model()
  tokens = _tokens(2, 90)
  cuts = [(0, 40), (40, 71), (71, 90)]
  segments = np.zeros((2, 90), np.int32)
  for i, (start, end) in enumerate(cuts):
    segments[:, start:end] = i + 1
  packed = _forward(lm, params, tokens, segments=jnp.asarray(segments)).logits
  for start, end in cuts:
    alone = _forward(lm, params, tokens[:, start:end]).logits
    np.testing.assert_allclose(packed[:, start:end], alone, atol=2e-5)
  whole = _forward(lm, params, tokens).logits
  assert abs(whole - packed)[:, 40:].max() > 0.1


def test_positions_matter_by_their_differences():
  lm, params = _model()
  tokens = _tokens(1, 9)
  base = _forward(lm, params, tokens).logits
  shifted = _forward(lm, params, tokens, positions=jnp.arange(9)[None] + 50)
  np.testing.assert_allclose(shifted.logits, base, atol=1e-4)
  spread = _forward(lm, params, tokens, positions=3 * jnp.arange(9)[None])
  assert abs(spread.logits - base).max() > 0.1


def test_dropout_needs_a_key_and_depends_on_it():
  lm, params = _model(dropout=0.3)
  tokens = _tokens(2, 6)
  still = _forward(lm, params, tokens).logits
  plain = transformer.Transformer(_CONFIG)
  np.testing.assert_array_equal(still, _forward(plain, params, tokens).logits)
  one, other = (
    _forward(lm, params, tokens, dropout_key=jax.random.key(i)).logits
    for i in (1, 2)
  )
  assert abs(one - still).max() > 0.1
  assert abs(one - other).max() > 0.1


def _decode_all(lm, params, tokens, length, rows, steps):
  """Decodes tokens[q, length[q] - 1 ...] in every row; logits [Q, N, T, V]."""
  P = max(length)
  _, state = _prefill(lm, params, _prompts(tokens[:, :P], length))
  cache = lm.init_rows(len(length), rows, steps)
  logits = []
  for t in range(steps):
    token = jnp.stack([tokens[q, n - 1 + t] for q, n in enumerate(length)])
    token = jnp.broadcast_to(token[:, None], (len(length), rows))
    output, cache = _decode(lm, params, state, cache, token)
    logits.append(output.logits)
  np.testing.assert_array_equal(cache.length, steps)
  return jnp.stack(logits, axis=2)


@pytest.mark.parametrize("length", [[5, 3], [1, 1], [1, 4]])
@pytest.mark.parametrize("kv_heads", [1, 4])
def test_prefill_and_decode_are_forward(length, kv_heads):
  lm, params = _model(kv_heads=kv_heads)
  tokens = _tokens(2, 14)
  want = _forward(lm, params, tokens).logits
  found = _decode_all(lm, params, tokens, length, rows=3, steps=8)
  for q, n in enumerate(length):
    for row in range(3):
      np.testing.assert_allclose(
        found[q, row], want[q, n - 1 : n + 7], atol=1e-5
      )


def test_prefill_gives_the_output_of_every_prompt_token():
  lm, params = _model()
  tokens = _tokens(2, 6)
  found, _ = _prefill(lm, params, _prompts(tokens, [6, 4]))
  want = _forward(lm, params, tokens)
  np.testing.assert_allclose(found.logits, want.logits, atol=1e-5)
  np.testing.assert_allclose(found.hidden, want.hidden, atol=1e-5)


def test_rows_may_see_prefixes_of_their_prompt():
  lm, params = _model()
  tokens = _tokens(2, 9)
  length = np.array([[0, 3, 8], [5, 1, 4]])
  _, state = _prefill(lm, params, _prompts(tokens, [9, 6]))
  state = state.replace(length=jnp.asarray(length))
  rows = lm.init_rows(2, 3, 2)
  want = _forward(lm, params, tokens).logits
  following = jnp.take_along_axis(tokens, jnp.asarray(length), axis=1)
  found = _decode(lm, params, state, rows, following)[0].logits
  for q in range(2):
    for n in range(3):
      np.testing.assert_allclose(found[q, n], want[q, length[q, n]], atol=1e-5)


def test_padding_of_a_prompt_does_not_count():
  lm, params = _model()
  tokens = _tokens(1, 8)
  other = tokens.at[:, 4:].set(7)
  states = [_prefill(lm, params, _prompts(t, [4]))[1] for t in (tokens, other)]
  rows = lm.init_rows(1, 1, 2)
  one, two = (
    _decode(lm, params, state, rows, tokens[:, 3:4])[0].logits
    for state in states
  )
  np.testing.assert_array_equal(one, two)


def test_decoding_traces_once():
  lm, params = _model()
  chex.clear_trace_counter()

  @chex.assert_max_traces(n=1)
  def step(lm, params, state, rows, tokens):
    return lm.decode(params, state, rows, tokens)

  step = jax.jit(step, static_argnums=0)
  _, state = _prefill(lm, params, _prompts(_tokens(2, 4), [4, 2]))
  rows = lm.init_rows(2, 3, 8)
  for i in range(3):
    # An equal model made anew is the same static argument.
    equal = transformer.Transformer(config.TransformerConfig(**vars(_CONFIG)))
    _, rows = step(equal, params, state, rows, _tokens(2, 3, seed=i))


def test_bfloat16_computes_in_bfloat16_and_stays_near():
  lm, params = _model()
  half, _ = _model(dtype="bfloat16")
  tokens = _tokens(2, 12)
  want = _forward(lm, params, tokens)
  found = _forward(half, params, tokens)
  assert found.hidden.dtype == jnp.bfloat16
  assert found.logits.dtype == jnp.float32
  assert half.init_rows(1, 1, 4).keys[0].dtype == jnp.bfloat16
  scale = abs(want.logits).max()
  assert 0 < abs(found.logits - want.logits).max() < 0.1 * scale


@pytest.mark.parametrize("tied", [True, False])
def test_logical_axes_name_every_axis_of_every_parameter(tied):
  lm, params = _model(tied=tied)
  axes = lm.logical_axes()
  chex.assert_trees_all_equal_structs(
    jax.tree.map(lambda _: 0, params), jax.tree.map(lambda _: 0, axes)
  )
  sizes = {"vocab": 24, "embed": 16, "kv_heads": 2, "head": 4}
  sizes |= {"gate_up": 2, "mlp": 20}
  for leaf, spec in zip(
    jax.tree.leaves(params), jax.tree.leaves(axes), strict=True
  ):
    assert len(spec) == leaf.ndim
    for size, name in zip(leaf.shape, spec, strict=True):
      # The query heads of a group, in `qkv` with their key and value.
      assert size in ((2, 4) if name == "group" else (sizes[name],))


def test_init_draws_plain_dicts_of_arrays():
  lm, _ = _model(tied=False)
  params = jax.jit(lm.init)(jax.random.key(0))
  for path, leaf in jax.tree_util.tree_leaves_with_path(params):
    assert all(isinstance(k, jax.tree_util.DictKey) for k in path)
    assert isinstance(leaf, jax.Array)
    assert leaf.dtype == jnp.float32
    # The branches' outputs are scaled down by the root of twice the layers.
    small = path[-1].key in ("out", "down")
    want = 0.01 if small else 0.02
    if leaf.ndim > 1:
      assert 0.7 * want < leaf.std() < 1.3 * want
    else:
      np.testing.assert_array_equal(leaf, 1)


def test_unused_logits_cost_nothing():
  lm, params = _model(vocabulary=4096)
  tokens = _tokens(2, 8)

  def flops(read):
    lowered = jax.jit(lambda p, t: read(lm.forward(p, t))).lower(params, tokens)
    return lowered.compile().cost_analysis()["flops"]

  logits = 2 * tokens.size * 16 * 4096
  saved = flops(lambda o: o.logits) - flops(lambda o: o.hidden)
  assert saved > 0.9 * logits


@pytest.mark.parametrize(
  ("changes", "said"),
  [
    ({"layers": 0}, "layers is 0"),
    ({"kv_heads": 3}, "multiple of kv_heads"),
    ({"head_width": 5}, "head_width is 5"),
    ({"dropout": 1.0}, "dropout is 1.0"),
    ({"dtype": "float16"}, "float32, bfloat16"),
  ],
)
def test_bad_shapes_are_refused(changes, said):
  with pytest.raises(errors.InputError, match=said):
    config.TransformerConfig(**(vars(_CONFIG) | changes))
