"""Scores of many packed solutions against each solution read alone."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny_verifier

from tts_jax import errors
from tts_jax.verify import prefixes, reward, scoring, solutions

_V, _D, _DELIMITER = tiny_verifier.V, tiny_verifier.D, tiny_verifier.DELIMITER
_ROOM = 20
_LM = tiny_verifier.LM
_VERIFIER = reward.RewardModel(tiny_verifier.PREDICTS)


@jax.jit
def _read_logits(params, batch):
  return scoring.read(params, batch, _LM, _VERIFIER)[0].logit


@jax.jit
def _read_alone(params, tokens, drawn, segments):
  """One completion behind its prompt, laid out by hand."""
  layout = dict(
    positions=jnp.arange(tokens.shape[1])[None],
    segments=segments,
    parents=jnp.minimum(segments, 1),
  )
  # What stands behind the completion is not seen: no layout, plain causality.
  output = _LM.forward(params["model"], tokens)
  every = jax.nn.log_softmax(output.logits)
  logprob = jnp.take_along_axis(every, drawn[..., None], -1)[..., 0]
  return _VERIFIER.forward(params, tokens, output, drawn, logprob, **layout)


@pytest.fixture(scope="module", name="params")
def fixture_params():
  shapes = jax.eval_shape(_VERIFIER.init, jax.random.key(0))
  shapes["model"] = jax.eval_shape(_LM.init, jax.random.key(0))
  rng = np.random.default_rng(0)
  return jax.tree.map(
    lambda leaf: jnp.asarray(rng.normal(0, 0.4, leaf.shape), jnp.float32),
    shapes,
  )


def _questions(counts):
  rng = np.random.default_rng(1)
  made = []
  for count in counts:
    mine = []
    for _ in range(count):
      tokens = rng.integers(1, _V, rng.integers(1, 10)).tolist()
      ends = prefixes.step_ends(tokens, {_DELIMITER})
      mine.append(solutions.Solution(tokens=tokens, step_end=ends))
    made.append((rng.integers(4, _V, rng.integers(1, 6)), mine))
  return made


def _alone(params, prompt, one):
  whole = np.zeros(_ROOM + 1, np.int32)
  size = len(prompt) + len(one.tokens)
  whole[:size] = [*prompt, *one.tokens]
  segments = np.where(np.arange(_ROOM) < len(prompt) - 1, 1, 2)
  logits = _read_alone(
    params, whole[None, :-1], whole[None, 1:], segments[None]
  )
  at = [len(prompt) - 2 + end for end in one.step_end]
  return 1 / (1 + np.exp(-np.asarray(logits)[0, at]))


def _score(params, questions):
  return scoring.score(
    params, questions, read_logits=_read_logits, rows=2, length=_ROOM
  )


def test_every_solution_scores_as_it_does_alone(params):
  questions = _questions([0, 3, 1, 0, 0, 9, 2, 0])
  batches = list(solutions.packed(questions, rows=2, length=_ROOM))
  whose = np.repeat(np.arange(8), [len(mine) for _, mine in questions])
  split = [{whose[p.index] for p in places} for _, places in batches]
  assert any(a & b for a, b in itertools.pairwise(split))  # Over batches.

  found = list(_score(params, questions))
  assert [len(scores) for scores in found] == [0, 3, 1, 0, 0, 9, 2, 0]
  steps = []
  for (prompt, mine), scores in zip(questions, found, strict=True):
    for one, mine_scores in zip(mine, scores, strict=True):
      assert mine_scores.dtype == np.float32
      want = _alone(params, prompt, one)
      np.testing.assert_allclose(mine_scores, want, rtol=2e-4, atol=2e-5)
      steps.extend(mine_scores)
  assert len(steps) > 15
  assert np.std(steps) > 0.05


def test_questions_without_solutions_give_empty_lists(params):
  assert list(_score(params, [([4], []), ([5], [])])) == [[], []]
  assert list(_score(params, [])) == []


def test_scores_come_before_the_last_question_is_drawn(params):
  questions = _questions([2, 1])
  want = list(_score(params, questions))
  endless = _score(params, itertools.cycle(questions))
  for found, again in zip(
    itertools.islice(endless, 6), itertools.cycle(want), strict=False
  ):
    assert len(found) == len(again)
    for one, other in zip(found, again, strict=True):
      np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)


def test_a_solution_that_no_row_holds_is_refused(params):
  one = solutions.Solution(tokens=[5] * _ROOM, step_end=[_ROOM])
  with pytest.raises(errors.InputError, match=r"solution 0 has 21 tokens"):
    list(_score(params, [([4, 5], [one])]))
