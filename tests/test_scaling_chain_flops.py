"""FLOPs of chains, token by token in plain loops."""

import dataclasses

import numpy as np
import pytest
import tiny_verifier

from tts_jax.scaling import chain_flops, flops
from tts_jax.verify import reward

_ALONE = reward.RewardModel(tiny_verifier.PREDICTS)
_HISTORY = reward.RewardModel(
  dataclasses.replace(tiny_verifier.PREDICTS, answer_end=9)
)
# [Q, A]: a first answer, one behind it, and a single one.
_LENGTH = np.array([[3, 5, 2], [1, 4, 6]])
_CONTEXT = np.array([[0, 3, 0], [0, 1, 0]])
_READ = np.array([[0, 7, 0], [0, 0, 0]])
_PROMPT = np.array([4, 9])


def _by_loops(verifier):
  model = flops.transformer(tiny_verifier.SHAPE)
  judge = flops.reward_model(verifier)

  def cost(network, seen):
    return 2 * network.parameters + 4 * network.attention * seen

  found = []
  for q in range(2):
    written = [
      _PROMPT[q] + _CONTEXT[q, a] + token
      for a in range(3)
      for token in range(_LENGTH[q, a])
    ]
    bare = [
      (a, _PROMPT[q] + token)
      for a in range(3)
      for token in range(_LENGTH[q, a])
    ]
    # What is read before is charged as a token of the mean.
    begun, rebuilt = _PROMPT[q] - 1, _READ[q].sum()
    mean, mean_bare = np.mean(written), np.mean([seen for _, seen in bare])
    total = sum(cost(model, seen) for seen in written)
    total += (begun + rebuilt) * cost(model, mean)
    if verifier.reads_history:
      total += sum(cost(judge, seen) for seen in written)
      total += (begun + rebuilt) * cost(judge, mean)
    else:
      behind = sum(_CONTEXT[q, a] > 0 for a, _ in bare)
      total += behind * cost(model, mean_bare)
      total += sum(cost(judge, seen) for _, seen in bare)
      total += begun * cost(judge, mean_bare)
    found.append(total)
  return found


@pytest.mark.parametrize("verifier", [_ALONE, _HISTORY])
def test_a_verifier_is_charged_for_what_it_reads(verifier):
  spent = chain_flops.tokens(
    _LENGTH, _CONTEXT, _READ, _PROMPT, lambda values: values.sum(1)
  )
  np.testing.assert_array_equal(spent.cost.prefilled, [3 + 7, 8])
  np.testing.assert_array_equal(spent.revised, [5, 4])
  count = chain_flops.counter(tiny_verifier.SHAPE, verifier)
  np.testing.assert_allclose(count(spent), _by_loops(verifier))


def test_single_answers_cost_the_same_either_way():
  nothing = np.zeros_like(_LENGTH)
  spent = chain_flops.tokens(
    _LENGTH, nothing, nothing, _PROMPT, lambda values: values.sum(1)
  )
  both = [
    chain_flops.counter(tiny_verifier.SHAPE, one)(spent)
    for one in (_ALONE, _HISTORY)
  ]
  np.testing.assert_allclose(*both)
