"""The reward model: the pass over whole solutions against the decode loop."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny_verifier

from tts_jax import errors, types
from tts_jax.model import cache, head, transformer
from tts_jax.verify import reward

_V, _DELIMITER = tiny_verifier.V, tiny_verifier.DELIMITER
_END = 9
_LM = transformer.Transformer(
  dataclasses.replace(tiny_verifier.SHAPE, layers=2)
)

_VERIFIERS = {
  "blocks": reward.RewardModel(tiny_verifier.HEAD),
  "predicts": reward.RewardModel(tiny_verifier.PREDICTS),
  "branches": reward.RewardModel(
    dataclasses.replace(tiny_verifier.PREDICTS, tap=1)
  ),
  "no blocks": reward.RewardModel(tiny_verifier.NO_BLOCKS),
  "own backbone": reward.RewardModel(tiny_verifier.HEAD, _LM),
  "own lower blocks": reward.RewardModel(
    dataclasses.replace(tiny_verifier.PREDICTS, tap=1), tiny_verifier.LM
  ),
  "of several answers": reward.RewardModel(
    dataclasses.replace(tiny_verifier.PREDICTS, answer_end=_END)
  ),
}


def _draw(tree, seed):
  """Parameters large enough that every input shows in the logits."""
  rng = np.random.default_rng(seed)
  return jax.tree.map(
    lambda leaf: jnp.asarray(rng.normal(0, 0.4, leaf.shape), jnp.float32), tree
  )


@pytest.fixture(params=_VERIFIERS, name="verifier")
def fixture_verifier(request):
  return _VERIFIERS[request.param]


@pytest.fixture(name="params")
def fixture_params(verifier):
  lm = _draw(jax.eval_shape(_LM.init, jax.random.key(0)), 0)
  return lm, _draw(jax.eval_shape(verifier.init, jax.random.key(0)), 1)


_PROMPT = np.asarray([[4, 5, 6, 7, 0], [8, 9, 2, 0, 0]])
_LENGTH = np.asarray([4, 3])
# [Q, N, T]: what each row draws.
_DRAWN = np.random.default_rng(2).integers(1, _V, (2, 3, 7))
_DRAWN[:, :, 3] = _DELIMITER
_DRAWN[:, :, 4] = _END


def _by_decoding(verifier, params, steps=7):
  """Logits [Q, N, T] and log-probabilities, a token at a time."""
  lm_params, own = params
  prompts = types.Prompts(
    tokens=jnp.asarray(_PROMPT),
    length=jnp.asarray(_LENGTH),
    uid=jnp.zeros(2, jnp.uint32),
  )
  output, lm_state = _LM.prefill(lm_params, prompts)
  state = verifier.prefill(own, prompts, output)
  lm_rows, rows = _LM.init_rows(2, 3, 8), verifier.init_rows(2, 3, 8)
  last = _PROMPT[np.arange(2), _LENGTH - 1]
  tokens = jnp.asarray(np.tile(last[:, None], (1, 3)))
  logits, logprobs = [], []
  for step in range(steps):
    output, lm_rows = _LM.decode(lm_params, lm_state, lm_rows, tokens)
    drawn = jnp.asarray(_DRAWN[:, :, step])
    every = jax.nn.log_softmax(output.logits)
    logprob = jnp.take_along_axis(every, drawn[..., None], -1)[..., 0]
    logit, rows = verifier.decode(
      own, state, rows, tokens, output, drawn, logprob
    )
    logits.append(logit)
    logprobs.append(logprob)
    tokens = drawn
  return np.stack(logits, -1), np.stack(logprobs, -1)


def _by_reading(verifier, params, logprobs):
  """The same logits, from one row that holds a prompt and all its rows."""
  lm_params, own = params
  found = []
  for q in range(2):
    prompt = _PROMPT[q, : _LENGTH[q]]
    size = len(prompt) - 1
    tokens, drawn = list(prompt[:-1]), list(prompt[1:])
    logprob, segments, parents = [0.0] * size, [1] * size, [1] * size
    positions = list(range(size))
    for n in range(3):
      tokens += [prompt[-1], *_DRAWN[q, n, :-1]]
      drawn += list(_DRAWN[q, n])
      logprob += list(logprobs[q, n])
      segments += [2 + n] * 7
      parents += [1] * 7
      positions += list(range(size, size + 7))
    row = {
      name: jnp.asarray([values])
      for name, values in (
        ("positions", positions),
        ("segments", segments),
        ("parents", parents),
      )
    }
    tokens = jnp.asarray([tokens])
    output = _LM.forward(lm_params, tokens, **row)
    logits = verifier.forward(
      own,
      tokens,
      output,
      jnp.asarray([drawn]),
      jnp.asarray([logprob], jnp.float32),
      **row,
    )
    found.append(np.asarray(logits)[0, size:].reshape(3, 7))
  return np.stack(found)


def test_reading_whole_solutions_scores_as_decoding_does(verifier, params):
  want, logprobs = _by_decoding(verifier, params)
  found = _by_reading(verifier, params, logprobs)
  np.testing.assert_allclose(found, want, rtol=2e-4, atol=2e-4)
  assert want.std() > 0.1


def test_surprise_is_summed_over_steps_and_over_all():
  logprob = -jnp.asarray([[1.0, 3.0, 2.0, 4.0, 5.0, 0.5]])[..., None]
  ended = jnp.asarray([[False, True, False, False, False, False]])
  begins = jnp.asarray([[True, False, False, False, True, False]])
  found = head.surprise_along(logprob, ended, begins)
  found = jax.tree.map(lambda x: x[..., 0], found)
  np.testing.assert_array_equal(found.total, [[-1, -4, -6, -10, -5, -5.5]])
  np.testing.assert_array_equal(found.least, [[-1, -3, -3, -4, -5, -5]])
  np.testing.assert_array_equal(found.step_total, [[-1, -4, -2, -6, -5, -5.5]])
  np.testing.assert_array_equal(found.step_least, [[-1, -3, -2, -4, -5, -5]])


def test_a_score_reads_log_probabilities(verifier, params):
  _, logprobs = _by_decoding(verifier, params)
  plain = _by_reading(verifier, params, logprobs)
  logprobs[:, :, 2] -= 1.0
  other = _by_reading(verifier, params, logprobs)
  np.testing.assert_array_equal(plain[:, :, :2], other[:, :, :2])
  # What surprised in an answer says nothing of the next one.
  reach = 7 if verifier.config.answer_end is None else 5
  assert (np.abs(plain - other)[:, :, 2:reach] > 1e-6).all()
  np.testing.assert_array_equal(plain[:, :, reach:], other[:, :, reach:])


def test_rows_are_copied_and_taken_back(verifier, params):
  lm_params, own = params
  prompts = types.Prompts(
    tokens=jnp.asarray(_PROMPT),
    length=jnp.asarray(_LENGTH),
    uid=jnp.zeros(2, jnp.uint32),
  )
  output, lm_state = _LM.prefill(lm_params, prompts)
  state = verifier.prefill(own, prompts, output)

  def step(both, tokens, drawn):
    lm_rows, rows = both
    output, lm_rows = _LM.decode(lm_params, lm_state, lm_rows, tokens)
    logit, rows = verifier.decode(
      own, state, rows, tokens, output, drawn, -drawn / 7
    )
    return logit, (lm_rows, rows)

  both = (_LM.init_rows(2, 3, 8), verifier.init_rows(2, 3, 8))
  one, two, three = (jnp.asarray(_DRAWN[:, :, i]) for i in range(3))
  _, both = step(both, one, two)
  marked = cache.mark(both)
  _, later = step(both, two, three)
  mask = jnp.asarray([[True, False, True], [False, True, True]])
  back = cache.restore(later, marked, mask)
  again, _ = step(back, two, three)
  want, _ = step(both, two, three)
  moved, _ = step(later, two, three)
  np.testing.assert_array_equal(again[mask], want[mask])
  np.testing.assert_array_equal(again[~mask], moved[~mask])

  parents = jnp.asarray([[2, 1, 2], [0, 0, 0]])
  copied = cache.copy_rows(both, parents)
  same = (
    jnp.take_along_axis(two, parents, 1),
    jnp.take_along_axis(three, parents, 1),
  )
  found, _ = step(copied, *same)
  np.testing.assert_array_equal(
    found, jnp.take_along_axis(want, parents, axis=1)
  )


@pytest.mark.parametrize("tap", [0, 1])
def test_a_head_of_a_branch_reads_nothing_of_the_blocks_above(tap):
  verifier = reward.RewardModel(
    dataclasses.replace(tiny_verifier.PREDICTS, tap=tap)
  )
  lm = _draw(jax.eval_shape(_LM.init, jax.random.key(0)), 0)
  own = _draw(jax.eval_shape(verifier.init, jax.random.key(0)), 1)
  logprobs = np.zeros(_DRAWN.shape)
  plain = _by_reading(verifier, (lm, own), logprobs)
  for layer, reads in ((0, tap == 1), (1, False)):
    other = dict(lm)
    other[f"layer_{layer}"] = jax.tree.map(jnp.zeros_like, lm[f"layer_{layer}"])
    found = _by_reading(verifier, (other, own), logprobs)
    assert (np.abs(found - plain).max() > 1e-3) == reads


def test_a_head_of_more_blocks_goes_on_from_the_generators():
  lm = _draw(jax.eval_shape(_LM.init, jax.random.key(0)), 0)
  shape = dict(width=16, token_width=4, mlp_width=8, predicts=True)
  verifier = reward.above(_LM, [3], layers=2, tap=1, **shape)
  drawn = verifier.init(jax.random.key(1))
  made = reward.branched(verifier, drawn, lm)["head"]
  jax.tree.map(np.testing.assert_array_equal, made["layer_0"], lm["layer_1"])
  jax.tree.map(
    np.testing.assert_array_equal, made["layer_1"], drawn["head"]["layer_1"]
  )
  np.testing.assert_array_equal(made["prediction"]["kernel"], lm["embedding"].T)


def test_a_backbone_of_its_own_ends_at_the_tap():
  shape = dict(layers=1, width=16, token_width=4, mlp_width=8, predicts=True)
  for tap, layers in ((0, 1), (1, 1), (2, 2), (None, 2)):
    made = reward.above(_LM, [3], tap=tap, separate=True, **shape)
    assert made.backbone.config.layers == layers


def test_a_branch_that_does_not_fit_is_refused():
  shape = dict(token_width=4, mlp_width=8, predicts=True)
  with pytest.raises(errors.InputError, match=r"head.tap is 3; .*, 0 to 1, or"):
    reward.above(_LM, [3], layers=1, width=16, tap=3, **shape)
  final = reward.above(_LM, [3], layers=1, width=16, tap=2, **shape)
  assert final.config.tap is None
  with pytest.raises(errors.InputError, match="head tap is -1"):
    dataclasses.replace(tiny_verifier.HEAD, tap=-1)
  narrow = reward.above(_LM, [3], layers=1, width=8, tap=1, **shape)
  lm = jax.eval_shape(_LM.init, jax.random.key(0))
  drawn = jax.eval_shape(narrow.init, jax.random.key(0))
  with pytest.raises(errors.InputError, match=r"width, 16; .* tap 1 and width"):
    reward.branched(narrow, drawn, lm)


def test_a_head_of_blocks_of_another_width_is_refused():
  other = dataclasses.replace(tiny_verifier.SHAPE, width=8)
  with pytest.raises(ValueError, match="it must be the head's width, 16"):
    dataclasses.replace(tiny_verifier.HEAD, blocks=other)


def test_a_head_that_does_not_fit_its_own_backbone_is_refused():
  for wrong, said in (
    (dict(input_width=8), "reads states of width 8"),
    (dict(vocabulary=5), "of 5 tokens; its backbone's"),
    (dict(tap=9, predicts=True), "head tap is 9; its backbone has"),
  ):
    head = dataclasses.replace(tiny_verifier.PREDICTS, **wrong)
    with pytest.raises(errors.InputError, match=said):
      reward.RewardModel(head, _LM)
