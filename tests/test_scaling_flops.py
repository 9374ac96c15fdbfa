import dataclasses

import jax
import numpy as np
import tiny_verifier

from tts_jax import types
from tts_jax.model import config, transformer
from tts_jax.scaling import flops
from tts_jax.verify import reward

_CONFIG = config.TransformerConfig(
  vocabulary=11,
  width=8,
  layers=2,
  heads=4,
  kv_heads=2,
  head_width=6,
  mlp_width=10,
  max_positions=32,
)
_COST = types.Cost(
  generated=np.array([100, 10], np.int32),
  pruned=np.array([40, 0], np.int32),
  lookahead=np.array([20, 0], np.int32),
  prefilled=np.array([5, 5], np.int32),
  scored=np.array([130, 0], np.int32),
)


def test_parameters_are_the_matrices_of_the_model():
  lm = transformer.Transformer(_CONFIG)
  params = jax.eval_shape(lm.init, jax.random.key(0))
  matrices = [leaf.size for leaf in jax.tree.leaves(params) if leaf.ndim > 1]
  network = flops.transformer(_CONFIG)
  assert network.parameters == sum(matrices)
  assert network.attention == 2 * 4 * 6


def test_a_token_by_hand():
  network = flops.Network(parameters=1000, attention=48)
  assert network.per_token(10) == 2 * 1000 + 4 * 48 * 10


def test_mean_context_is_that_of_plain_loops():
  prompt, length = (
    np.array([7, 3, 9]),
    np.array([[4, 0, 2], [1, 1, 5], [0] * 3]),
  )
  expected = []
  for size, row in zip(prompt, length, strict=True):
    # A row begins with the prompt's last token, which sees the whole prompt.
    seen = [size + t for n in row for t in range(n)]
    expected.append(np.mean(seen) if seen else size)
  np.testing.assert_allclose(flops.mean_context(prompt, length), expected)


def test_trap_18_lookahead_and_the_verifier_are_paid_for():
  model = flops.Network(parameters=1000, attention=10)
  context = np.array([50.0, 20.0])
  bare = flops.flops(_COST, model, context=context)
  # Pruned tokens are part of the generated ones, and not counted twice.
  np.testing.assert_allclose(bare, [125 * 4000, 15 * 2800])
  head = flops.Network(parameters=100)
  shared = flops.flops(_COST, model, verifier=head, context=context)
  np.testing.assert_allclose(shared - bare, [125 * 200, 15 * 200])
  own = flops.flops(
    _COST, model, verifier=model, reads_tokens=True, context=context
  )
  np.testing.assert_allclose(own - bare, [130 * 4000, 0])


def test_a_verifier_adds_its_head_and_a_backbone_of_its_own():
  head = dataclasses.replace(tiny_verifier.BRANCHES, tap=1)
  shared, own = (
    reward.RewardModel(head),
    reward.RewardModel(head, tiny_verifier.LM),
  )
  sizes = {}
  for name, verifier in (("shared", shared), ("own", own)):
    params = jax.eval_shape(verifier.init, jax.random.key(0))
    # Looked up in, not read with; nobody reads the backbone's logits.
    unread = {"embedding", "unembedding"}
    sizes[name] = sum(
      leaf.size
      for part in params.values()
      for key, tree in part.items()
      if key not in unread
      for leaf in jax.tree.leaves(tree)
      if leaf.ndim > 1
    )
  found = flops.reward_model(shared), flops.reward_model(own)
  assert found[1].parameters - found[0].parameters == (
    sizes["own"] - sizes["shared"]
  )
  assert found[1].attention == 2 * found[0].attention


def test_large_counts_do_not_overflow():
  ones = np.full(1, 2**30, np.int32)
  cost = types.Cost(
    generated=ones, pruned=ones, lookahead=ones, prefilled=ones, scored=ones
  )
  model = flops.Network(parameters=8_000_000_000)
  np.testing.assert_allclose(flops.flops(cost, model), [3 * 2.0**30 * 1.6e10])
