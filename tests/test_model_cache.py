"""The cache's rows: independent, bounded, reusable, updated in place."""

import jax
import jax.numpy as jnp
import model_oracle
import numpy as np
import pytest

from tts_jax import types
from tts_jax.model import cache, config, table, transformer

_LM = transformer.Transformer(
  config.TransformerConfig(
    vocabulary=24,
    width=16,
    layers=2,
    heads=4,
    kv_heads=2,
    head_width=8,
    mlp_width=20,
    max_positions=64,
  )
)
_SLOTS = 6


@pytest.fixture(scope="module")
def params():
  return model_oracle.draw(_LM)


@pytest.fixture(scope="module")
def state(params):
  prompts = types.Prompts(
    tokens=jnp.asarray([[3, 5, 7, 9], [2, 4, 0, 0]]),
    length=jnp.asarray([4, 2]),
    uid=jnp.zeros(2, jnp.uint32),
  )
  return jax.jit(_LM.prefill)(params, prompts)


_decode = jax.jit(_LM.decode)


def _tokens(seed, shape=(2, 3)):
  rng = np.random.default_rng(seed)
  return jnp.asarray(rng.integers(0, 24, shape), jnp.int32)


def _run(params, state, rows, columns):
  """Decodes columns of tokens [Q, N]; all logits and the rows."""
  logits = []
  for tokens in columns:
    output, rows = _decode(params, state, rows, tokens)
    logits.append(output.logits)
  return jnp.stack(logits), rows


def test_append_writes_one_slot_a_row():
  rng = np.random.default_rng(0)
  rows = cache.init(2, 3, 5, layers=2, kv_heads=2, head_width=4)
  length = np.array([[0, 4, 2], [5, 1, 9]])
  rows = rows.replace(length=jnp.asarray(length))
  key, value = rng.normal(size=(2, 2, 3, 2, 4)).astype(np.float32)
  keys, values = cache.append(rows, 1, jnp.asarray(key), jnp.asarray(value))
  want_keys = np.zeros((2, 3, 2, 4, 5), np.float32)
  want_values = np.zeros((2, 3, 2, 5, 4), np.float32)
  for q in range(2):
    for n in range(3):
      if length[q, n] < 5:
        want_keys[q, n, :, :, length[q, n]] = key[q, n]
        want_values[q, n, :, length[q, n]] = value[q, n]
  np.testing.assert_array_equal(keys, want_keys)
  np.testing.assert_array_equal(values, want_values)


def test_rows_do_not_see_their_neighbours(params, state):
  rows = _LM.init_rows(2, 3, _SLOTS)
  columns = [_tokens(seed) for seed in range(5)]
  others = [
    _tokens(seed + 50).at[0, 1].set(columns[seed][0, 1]) for seed in range(5)
  ]
  one, _ = _run(params, state, rows, columns)
  two, _ = _run(params, state, rows, others)
  np.testing.assert_array_equal(one[:, 0, 1], two[:, 0, 1])
  assert (one[:, 0, 0] != two[:, 0, 0]).any()
  # Nor does it matter which row of its question it is.
  three, _ = _run(params, state, rows, [c[:, ::-1] for c in columns])
  np.testing.assert_array_equal(one, three[:, :, ::-1])


def test_reset_row_is_a_fresh_row(params, state):
  fresh = _LM.init_rows(2, 3, _SLOTS)
  columns = [_tokens(seed) for seed in range(3)]
  want, _ = _run(params, state, fresh, columns)
  _, used = _run(params, state, fresh, [_tokens(9 + i) for i in range(4)])
  mask = jnp.asarray([[True, False, True], [False, True, False]])
  again = cache.reset(used, mask)
  np.testing.assert_array_equal(again.length, np.where(mask, 0, 4))
  found, _ = _run(params, state, again, columns)
  np.testing.assert_array_equal(found[:, mask], want[:, mask])
  assert (found[:, ~mask] != want[:, ~mask]).any()


def test_gathered_rows_continue_their_parents(params, state):
  _, rows = _run(
    params, state, _LM.init_rows(2, 3, _SLOTS), [_tokens(i) for i in range(3)]
  )
  rows = cache.reset(rows, jnp.asarray([[False, True, False]] * 2))
  parents = jnp.asarray([[2, 2, 0], [1, 0, 0]])
  children = cache.gather(rows, parents)
  tokens = _tokens(8)
  taken = jnp.take_along_axis(tokens, parents, axis=1)
  parent_logits = _decode(params, state, rows, tokens)[0].logits
  logits = _decode(params, state, children, taken)[0].logits
  for q in range(2):
    for n in range(3):
      parent = parents[q, n]
      assert children.length[q, n] == rows.length[q, parent]
      np.testing.assert_array_equal(logits[q, n], parent_logits[q, parent])


def test_gather_may_change_the_number_of_rows(params, state):
  _, rows = _run(params, state, _LM.init_rows(2, 3, _SLOTS), [_tokens(1)])
  wide = cache.gather(rows, jnp.asarray([[0, 0, 1, 2, 2]] * 2))
  assert wide.length.shape == (2, 5)
  np.testing.assert_array_equal(wide.keys[0][:, 4], rows.keys[0][:, 2])


def test_full_rows_stay_as_they_are(params, state):
  rows = _LM.init_rows(2, 3, 2)
  _, rows = _run(params, state, rows, [_tokens(0), _tokens(1)])
  rows = cache.reset(rows, jnp.asarray([[True, False, False]] * 2))
  logits, after = _run(params, state, rows, [_tokens(2)])
  np.testing.assert_array_equal(after.length, [[1, 2, 2]] * 2)
  np.testing.assert_array_equal(after.keys[1][:, 1:], rows.keys[1][:, 1:])
  np.testing.assert_array_equal(after.values[1][:, 1:], rows.values[1][:, 1:])
  # The row that had room goes on as if it were alone.
  alone, _ = _run(params, state, _LM.init_rows(2, 3, 2), [_tokens(2)])
  np.testing.assert_array_equal(logits[:, :, 0], alone[:, :, 0])
  assert np.isfinite(logits).all()


def test_a_loop_copies_no_cache(params):
  Q, N, S, P = 2, 8, 512, 16
  prompts = types.Prompts(
    tokens=jnp.zeros((Q, P), jnp.int32),
    length=jnp.full(Q, P),
    uid=jnp.zeros(Q, jnp.uint32),
  )
  state = jax.jit(_LM.prefill)(params, prompts)

  def generate(rows, tokens):
    def step(carry):
      rows, tokens = carry
      output, rows = _LM.decode(params, state, rows, tokens)
      return rows, output.logits.argmax(-1).astype(jnp.int32)

    return jax.lax.while_loop(
      lambda carry: carry[0].length.max() < S, step, (rows, tokens)
    )

  rows = _LM.init_rows(Q, N, S)
  tokens = jnp.zeros((Q, N), jnp.int32)
  compiled = jax.jit(generate, donate_argnums=0).lower(rows, tokens).compile()
  memory = compiled.memory_analysis()
  assert memory.temp_size_in_bytes < rows.keys[0].nbytes
  assert memory.alias_size_in_bytes > 0.99 * sum(
    leaf.nbytes for leaf in jax.tree.leaves(rows)
  )


@pytest.mark.parametrize("lm", [_LM, table.TableModel(((0.0, 1.0),) * 2)])
def test_every_models_rows_can_be_emptied_and_copied(lm):
  params = model_oracle.draw(lm)
  prompts = types.Prompts(
    tokens=jnp.zeros((2, 3), jnp.int32),
    length=jnp.asarray([3, 2]),
    uid=jnp.zeros(2, jnp.uint32),
  )
  state = lm.prefill(params, prompts)
  rows = lm.init_rows(2, 3, _SLOTS)
  assert isinstance(rows, cache.RowCache)
  _, rows = lm.decode(params, state, rows, jnp.zeros((2, 3), jnp.int32))
  assert isinstance(rows, cache.RowCache)
  emptied = cache.reset(rows, jnp.asarray([[True, False, False]] * 2))
  assert emptied.length.tolist() == [[0, 1, 1]] * 2
  copied = cache.gather(emptied, jnp.asarray([[0, 0, 1], [2, 1, 0]]))
  assert copied.length.tolist() == [[0, 0, 1], [1, 1, 0]]
