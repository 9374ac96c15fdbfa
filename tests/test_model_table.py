"""The table model obeys the same protocol as the transformer."""

import jax
import jax.numpy as jnp
import numpy as np

from tts_jax import types
from tts_jax.model import cache, table

_TABLE = ((0.0, 1.0, 2.0), (3.0, -1.0, 0.5), (0.0, 0.0, 9.0))


def test_logits_are_the_table_rows():
  lm = table.TableModel(_TABLE)
  assert lm.vocabulary == 3
  params = lm.init(jax.random.key(0))
  tokens = jnp.asarray([[0, 2, 1], [1, 1, 0]])
  want = np.asarray(_TABLE, np.float32)[np.asarray(tokens)]
  output = lm.forward(params, tokens)
  np.testing.assert_array_equal(output.logits, want)
  np.testing.assert_array_equal(output.hidden.argmax(-1), tokens)

  prompts = types.Prompts(
    tokens=tokens, length=jnp.asarray([3, 1]), uid=jnp.zeros(2, jnp.uint32)
  )
  output, state = lm.prefill(params, prompts)
  np.testing.assert_array_equal(output.logits, want)
  np.testing.assert_array_equal(state.length, [2, 0])
  rows = lm.init_rows(2, 3, 4)
  output, rows = jax.jit(lm.decode)(params, state, rows, tokens)
  np.testing.assert_array_equal(output.logits, want)
  np.testing.assert_array_equal(rows.length, np.ones((2, 3)))


def test_rows_are_reset_and_copied_like_any_other():
  rows = table.TableModel(_TABLE).init_rows(1, 3, 4)
  rows = rows.replace(length=jnp.asarray([[1, 2, 3]]))
  rows = cache.reset(rows, jnp.asarray([[False, True, False]]))
  rows = cache.copy_rows(rows, jnp.asarray([[2, 1, 2]]))
  np.testing.assert_array_equal(rows.length, [[3, 0, 3]])


def test_a_verifier_row_by_row_is_the_verifier_of_whole_sequences():
  verifier = table.TableVerifier(_TABLE)
  params = verifier.init(jax.random.key(0))
  tokens = np.array([[2, 1, 0, 1, 2], [1, 1, 2, 0, 0]])
  prompts = types.Prompts(
    tokens=jnp.asarray(tokens[:, :2]),
    length=jnp.asarray([2, 2]),
    uid=jnp.zeros(2, jnp.uint32),
  )
  whole = verifier.forward(
    params,
    tokens[:, :-1],
    None,
    tokens[:, 1:],
    None,
    in_prompt=np.tile(np.arange(4) < 1, (2, 1)),
  )
  prompt_state = verifier.prefill(params, prompts, None)
  rows = verifier.init_rows(2, 1, 3)
  for t in range(3):
    logit, rows = verifier.decode(
      params,
      prompt_state,
      rows,
      jnp.asarray(tokens[:, t + 1 : t + 2]),
      None,
      jnp.asarray(tokens[:, t + 2 : t + 3]),
      None,
    )
    np.testing.assert_allclose(logit[:, 0], whole[:, t + 1], atol=1e-6)
  # By hand: the prompt's entry, and each transition, the older ones halved.
  want = 9.0 + 0.25 * 3.0 + 0.5 * 1.0 + 0.5
  assert float(whole[0, 3]) == want
  np.testing.assert_array_equal(rows.cache.length, [[3], [3]])


def test_equal_models_are_one_static_argument():
  assert hash(table.TableModel(_TABLE)) == hash(table.TableModel(_TABLE))
  assert table.TableModel(_TABLE) == table.TableModel(_TABLE)
  assert table.TableModel(_TABLE) != table.TableModel(_TABLE[:1])
