"""The cache's rows: independent, bounded, reusable, updated in place."""

import dataclasses

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
  return jax.jit(_LM.prefill)(params, prompts)[1]


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


def test_copied_rows_continue_their_parents(params, state):
  _, rows = _run(
    params, state, _LM.init_rows(2, 3, _SLOTS), [_tokens(i) for i in range(3)]
  )
  rows = cache.reset(rows, jnp.asarray([[False, True, False]] * 2))
  parents = jnp.asarray([[2, 2, 2], [0, 1, 0]])
  children = jax.jit(cache.copy_rows)(rows, parents)
  tokens = _tokens(8)
  taken = jnp.take_along_axis(tokens, parents, axis=1)
  parent_logits = _decode(params, state, rows, tokens)[0].logits
  logits = _decode(params, state, children, taken)[0].logits
  for q in range(2):
    for n in range(3):
      parent = parents[q, n]
      assert children.length[q, n] == rows.length[q, parent]
      np.testing.assert_array_equal(logits[q, n], parent_logits[q, parent])


@pytest.mark.parametrize("shards", [1, 2, 4])
def test_any_tree_of_rows_is_copied(shards):
  rng = np.random.default_rng(0)
  tree = {
    "scores": rng.normal(size=(4, 6, 5, 2)),
    "done": rng.random((4, 6)) < 0.5,
    "cache": cache.RowCache(
      keys=(), values=(), length=rng.integers(0, 9, (4, 6))
    ),
  }
  parents = np.tile(np.arange(6), (4, 1))
  parents[0] = [5, 1, 1, 5, 5, 5]
  parents[2, 0] = 3
  tree = jax.tree.map(jnp.asarray, tree)
  found = cache.copy_rows(tree, jnp.asarray(parents), shards=shards)
  want = jax.tree.map(lambda x: x[np.arange(4)[:, None], parents], tree)
  jax.tree.map(np.testing.assert_array_equal, found, want)
  still = jnp.tile(jnp.arange(6), (4, 1))
  still = cache.copy_rows(tree, still, shards=shards)
  jax.tree.map(np.testing.assert_array_equal, still, tree)


def test_restored_rows_go_on_as_if_nothing_had_been_read(params, state):
  columns = [_tokens(i) for i in range(2)]
  start = _LM.init_rows(2, 3, _SLOTS)
  _, rows = _run(params, state, start, columns)
  marked = cache.mark({"rows": rows, "sum": jnp.arange(6.0).reshape(2, 3)})
  _, ahead = _run(params, state, rows, [_tokens(7 + i) for i in range(3)])
  mask = jnp.asarray([[True, False, True], [False, True, False]])
  tree = {"rows": ahead, "sum": jnp.full((2, 3), -1.0)}
  back = cache.restore(tree, marked, mask)
  np.testing.assert_array_equal(back["rows"].length, np.where(mask, 2, 5))
  np.testing.assert_array_equal(
    back["sum"], np.where(mask, [[0, 1, 2], [3, 4, 5]], -1)
  )
  again = [_tokens(20 + i) for i in range(3)]
  want, _ = _run(params, state, rows, again)
  found, _ = _run(params, state, back["rows"], again)
  np.testing.assert_array_equal(found[:, mask], want[:, mask])
  assert (found[:, ~mask] != want[:, ~mask]).any()


def test_a_mark_holds_no_keys():
  marked = cache.mark((_LM.init_rows(2, 3, _SLOTS), jnp.zeros((2, 3, 4))))
  assert [leaf.shape for leaf in jax.tree.leaves(marked)] == [(2, 3), (2, 3, 4)]


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


def _copy_and_roll_back(before, rows, tokens):
  """What search does between tokens: copies, waits, takes tokens back."""
  every = jnp.arange(tokens.shape[1])
  parents = jnp.where(rows.length.max() % 5 == 0, every // 4 * 4, every)
  rows = cache.restore(rows, cache.mark(before), tokens % 2 == 0)
  rows, tokens = cache.copy_rows(
    (rows, tokens), jnp.broadcast_to(parents, tokens.shape)
  )
  return rows, tokens


@pytest.mark.parametrize("dtype", ["", "int8"])
@pytest.mark.parametrize(
  "between", [lambda _, rows, tokens: (rows, tokens), _copy_and_roll_back]
)
def test_a_loop_copies_no_cache(params, between, dtype):
  lm = transformer.Transformer(
    dataclasses.replace(_LM.config, cache_dtype=dtype)
  )
  Q, N, S, P = 2, 8, 512, 16
  prompts = types.Prompts(
    tokens=jnp.zeros((Q, P), jnp.int32),
    length=jnp.full(Q, P),
    uid=jnp.zeros(Q, jnp.uint32),
  )
  _, state = jax.jit(lm.prefill)(params, prompts)

  def generate(rows, tokens):
    def step(carry):
      before, tokens = carry
      output, rows = jax.jit(lm.decode)(params, state, before, tokens)
      return between(before, rows, output.logits.argmax(-1).astype(jnp.int32))

    return jax.lax.while_loop(
      lambda carry: carry[0].length.max() < S, step, (rows, tokens)
    )

  rows = lm.init_rows(Q, N, S)
  tokens = jnp.zeros((Q, N), jnp.int32)
  compiled = jax.jit(generate, donate_argnums=0).lower(rows, tokens).compile()
  memory = compiled.memory_analysis()
  # One layer's keys; the CPU widens integers, both parts of a layer at a time.
  most = Q * N * S * 16 * 4 * (3 if dtype else 1)
  assert memory.temp_size_in_bytes < most, memory.temp_size_in_bytes / most
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
  _, state = jax.jit(lm.prefill)(params, prompts)
  rows = lm.init_rows(2, 3, _SLOTS)
  assert isinstance(rows, cache.RowCache)
  _, rows = jax.jit(lm.decode)(
    params, state, rows, jnp.zeros((2, 3), jnp.int32)
  )
  assert isinstance(rows, cache.RowCache)
  emptied = cache.reset(rows, jnp.asarray([[True, False, False]] * 2))
  assert emptied.length.tolist() == [[0, 1, 1]] * 2
  copied = cache.copy_rows(emptied, jnp.asarray([[0, 0, 2], [1, 1, 2]]))
  assert copied.length.tolist() == [[0, 0, 1], [1, 1, 1]]
  back = cache.restore(copied, cache.mark(emptied), jnp.ones((2, 3), bool))
  assert back.length.tolist() == [[0, 1, 1]] * 2
