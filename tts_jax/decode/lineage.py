"""Randomness by lineage: what a draw depends on, and nothing else.

The uniform number behind token `t` of sample `i` of a question is a function of
the run's key, the question's uid, `i` and `t`. Batch, row, refill order, number
of samples and the point of a restart have no say in it. Keys are folded, never
split, so none is consumed.
"""

import chex
import jax


def question_keys(key: chex.PRNGKey, uid: chex.Array) -> chex.PRNGKey:
  """[Q] keys of questions with uid [Q] uint32, from the run's key."""
  return jax.vmap(jax.random.fold_in, (None, 0))(key, uid)


def sample_keys(question_key: chex.PRNGKey, sample: chex.Array) -> chex.PRNGKey:
  """[Q, N] keys of samples [Q, N] int32, from their questions' [Q] keys."""
  over_samples = jax.vmap(jax.random.fold_in, (None, 0))
  return jax.vmap(over_samples)(question_key, sample)


def draw(sample_key: chex.PRNGKey, token: chex.Array) -> chex.Array:
  """The uniform number of each row's next token.

  Args:
    sample_key: [Q, N] keys, as `sample_keys` gives them.
    token: [Q, N] int32, index of the token in its completion.

  Returns:
    [Q, N] float32 in [0, 1).
  """

  def one(key: chex.PRNGKey, index: chex.Array) -> chex.Array:
    return jax.random.uniform(jax.random.fold_in(key, index))

  return jax.vmap(jax.vmap(one))(sample_key, token)


def uniform(key: chex.PRNGKey, uid: int, sample: int, token: int) -> chex.Array:
  """The draw of one token, by its definition: float32 in [0, 1)."""
  for part in (uid, sample, token):
    key = jax.random.fold_in(key, part)
  return jax.random.uniform(key)
