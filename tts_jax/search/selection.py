"""Who goes on: the choice that ends a round, for one question."""

import chex
import jax
import jax.numpy as jnp


def select(
  score: chex.Array,
  alive: chex.Array,
  finished: chex.Array,
  capped: chex.Array,
  *,
  trees: int,
  width: int,
) -> chex.Array:
  """The row that each row continues in the next round.

  Rows stand in `trees` blocks; in each the best one in `width` survive, by
  score, the lower row first where scores are equal. Scores that are NaN rank
  below all others, capped candidates below these. Survivors stay in their own
  rows. One that is finished or capped holds that one row and no other; the rows
  of those that were cut go to the survivors that can go on, evenly, what is
  left over to the best of them. Without such a survivor they are left empty.

  A tree in which nothing can go on is done, and stays as it is: its finals are
  all of its candidates (section 5.3 of the paper repeats the round only until
  every solution has ended).

  Args:
    score: [N] float32, higher is better.
    alive: [N] bool, the row holds a candidate.
    finished: [N] bool, the candidate has its end token.
    capped: [N] bool, it was cut at the token limit and can give no answer.
    trees: independent searches among the rows; they divide N.
    width: M, the branching factor; it divides the rows of a tree.

  Returns:
    [N] int32; a survivor's is its own row, an empty row's is -1.
  """
  chex.assert_rank([score, alive, finished, capped], 1)
  chex.assert_equal_shape([score, alive, finished, capped])
  size = score.shape[0] // trees
  chex.assert_is_divisible(score.shape[0], trees * width)

  def one(*fields: chex.Array) -> chex.Array:
    return _select_in_tree(*fields, keep=size // width)

  fields = (x.reshape(trees, size) for x in (score, alive, finished, capped))
  parents = jax.vmap(one)(*fields)
  first = jnp.arange(trees, dtype=jnp.int32)[:, None] * size
  return jnp.where(parents < 0, -1, parents + first).reshape(-1)


def _select_in_tree(
  score: chex.Array,
  alive: chex.Array,
  finished: chex.Array,
  capped: chex.Array,
  *,
  keep: int,
) -> chex.Array:
  size = score.shape[0]
  row = jnp.arange(size, dtype=jnp.int32)
  unknown = jnp.isnan(score)
  order = jnp.lexsort(
    (row, jnp.where(unknown, 0, -score), unknown, capped, ~alive)
  ).astype(jnp.int32)
  rank = jnp.zeros(size, jnp.int32).at[order].set(row)
  live = alive & ~finished & ~capped
  survives = alive & ((rank < keep) | ~live.any())
  # The heirs by rank, in front; each freed row takes the next one in turn.
  heirs = order[jnp.argsort(~(survives & live)[order], stable=True)]
  count = (survives & live).sum()
  turn = jnp.cumsum(~survives) - 1
  heir = heirs[turn % jnp.maximum(count, 1)]
  return jnp.where(survives, row, jnp.where(count > 0, heir, -1))
