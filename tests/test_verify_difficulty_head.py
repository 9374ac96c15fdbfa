"""The difficulty head: its features by hand, its files, and each refusal."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy
import tiny_head
import tiny_verifier

from tts_jax import errors, types
from tts_jax.decode import stream
from tts_jax.verify import difficulty_head, saved, saved_difficulty

_D = tiny_verifier.D
_ORIGIN = saved.Origin(tokenizer="aa11", model="bb22")
_HEADS = {
  "hidden": difficulty_head.DifficultyHead(_D, width=6),
  "linear": difficulty_head.DifficultyHead(_D, width=0),
  "tap": difficulty_head.DifficultyHead(_D, width=6, tap=0),
}
_LM = tiny_verifier.LM
_MODEL = _LM.init(jax.random.key(1))


def _requests(count):
  rng = np.random.default_rng(2)
  return [
    stream.Request(
      id=f"q{i}", uid=i, tokens=rng.integers(0, 11, 3 + i % 5).tolist()
    )
    for i in range(count)
  ]


def _alone(head, tokens):
  """Features of a prompt that is read without any padding."""
  output = jax.jit(_LM.forward)(_MODEL, jnp.asarray([tokens]))
  states = output.hidden if head.tap is None else output.streams[head.tap]
  return np.concatenate([states[0, -1], states[0].mean(0)])


@pytest.mark.parametrize("name", _HEADS)
def test_a_prediction_is_that_of_plain_loops(name):
  head, requests = _HEADS[name], _requests(5)
  params = tiny_head.draw(head)
  read = jax.jit(lambda prompts: head.predict(params, _LM, _MODEL, prompts))
  got = difficulty_head.over_prompts(read, requests, prompt_tokens=9, rows=2)
  assert got.shape == (5,)
  for request, value in zip(requests, got, strict=True):
    x = _alone(head, request.tokens) - params["standard"]["mean"]
    x = x / params["standard"]["scale"]
    layers = params["head"]
    if head.width:
      x = x @ layers["hidden"]["kernel"] + layers["hidden"]["bias"]
      x = x / (1 + np.exp(-x))
    logit = x @ layers["logit"]["kernel"] + layers["logit"]["bias"]
    np.testing.assert_allclose(value, 1 / (1 + np.exp(-logit[0])), atol=1e-5)
  assert got.std() > 0.01


def test_what_predicts_is_compiled_once():
  head, requests = _HEADS["tap"], _requests(5)
  params, compiled = tiny_head.draw(head), []

  def compiler(function, **keywords):
    compiled.append(function)
    return jax.jit(function, **keywords)

  sizes = dict(prompt_tokens=9, rows=2, compiler=compiler)
  predict = difficulty_head.predictor(head, params, _LM, _MODEL, **sizes)
  whole, first = predict(requests), predict(iter(requests[:1]))
  assert len(compiled) == 1
  np.testing.assert_array_equal(first, whole[:1])
  read = jax.jit(lambda prompts: head.predict(params, _LM, _MODEL, prompts))
  want = difficulty_head.over_prompts(read, requests, prompt_tokens=9, rows=2)
  np.testing.assert_allclose(whole, want, atol=1e-6)


def test_padding_and_company_change_nothing():
  head = _HEADS["hidden"]
  read = jax.jit(lambda prompts: head.read(_LM, _MODEL, prompts))
  requests = _requests(7)
  whole, narrow = (
    difficulty_head.over_prompts(read, requests, prompt_tokens=P, rows=rows)
    for P, rows in ((12, 4), (7, 7))
  )
  assert whole.shape == (7, 2 * _D)
  np.testing.assert_allclose(whole, narrow, atol=1e-5)


def test_states_of_the_padding_are_not_read():
  head = _HEADS["hidden"]
  states = np.full((1, 4, _D), np.nan, np.float32)
  states[0, :2] = np.arange(2 * _D).reshape(2, _D)
  output = types.Output(logits=None, hidden=jnp.asarray(states))
  got = head.features(output, jnp.array([2]))
  np.testing.assert_array_equal(got[0, :_D], states[0, 1])
  np.testing.assert_array_equal(got[0, _D:], states[0, :2].mean(0))


def test_a_fresh_head_predicts_one_half():
  head = _HEADS["hidden"]
  features = np.random.default_rng(3).normal(5, 2, (40, 2 * _D))
  features[:, 4] = 7.0  # Of a constant, no NaN.
  params = difficulty_head.standardised(head.init(jax.random.key(0)), features)
  np.testing.assert_array_equal(head.logit(params, features), 0.0)
  scaled = (features - params["standard"]["mean"]) / params["standard"]["scale"]
  varied = np.arange(2 * _D) != 4
  np.testing.assert_allclose(scaled.mean(0), 0.0, atol=1e-4)
  np.testing.assert_allclose(scaled.std(0)[varied], 1.0, atol=1e-4)


def test_flops_are_those_of_the_layers():
  assert _HEADS["hidden"].flops == 2 * (2 * _D * 6 + 6)
  assert _HEADS["linear"].flops == 2 * 2 * _D


@pytest.mark.parametrize("name", _HEADS)
def test_a_head_is_read_as_it_was_written(tmp_path, name):
  head = _HEADS[name]
  params = tiny_head.draw(head)
  reached = {"best_loss": 0.25}
  saved_difficulty.save(tmp_path / "made", head, params, _ORIGIN, reached)
  found, again = saved_difficulty.load(tmp_path / "made", _ORIGIN)
  assert found == head
  jax.tree.map(np.testing.assert_array_equal, again, params)
  card = json.loads((tmp_path / "made" / saved_difficulty.CARD).read_text())
  assert card["reached"] == reached


def _change_tensor(name, value):
  def apply(folder):
    path = folder / saved_difficulty.WEIGHTS
    tensors = safetensors.numpy.load_file(path)
    tensors[name] = np.full_like(tensors[name], value)
    safetensors.numpy.save_file(tensors, path)

  return apply


def _change_card(field, value):
  def apply(folder):
    path = folder / saved_difficulty.CARD
    card = json.loads(path.read_text())
    card[field] = value
    path.write_text(json.dumps(card))

  return apply


_OTHER = {"tokenizer": "aa11", "model": "cc33"}
_WIDER = dataclasses.asdict(difficulty_head.DifficultyHead(_D, width=7))


@pytest.mark.parametrize(
  ("spoil", "message"),
  [
    (_change_card("origin", _OTHER), "states of model cc33, this one is bb22"),
    (_change_tensor("head/logit/kernel", np.nan), "NaN or infinity"),
    (_change_tensor("standard/mean", np.inf), "NaN or infinity"),
    (_change_tensor("standard/scale", 0.0), "must be above 0"),
    (_change_card("head", _WIDER), r"'head/hidden/bias' is \(6,\)"),
    (_change_card("head", {"width": 6}), "'head.input_width' is missing"),
    (_change_card("head", None), "'head' must be an object"),
    (_change_card("origin", None), "'origin' must be an object"),
    (lambda folder: (folder / "difficulty.json").unlink(), "no such file"),
    (lambda folder: (folder / "difficulty.safetensors").unlink(), "not found"),
  ],
)
def test_what_does_not_fit_is_refused(tmp_path, spoil, message):
  head = _HEADS["hidden"]
  saved_difficulty.save(tmp_path, head, tiny_head.draw(head), _ORIGIN, {})
  spoil(tmp_path)
  with pytest.raises(errors.InputError, match=message):
    saved_difficulty.load(tmp_path, _ORIGIN)


def test_another_models_states_are_refused():
  saved_difficulty.check_fit(_HEADS["tap"], tiny_verifier.SHAPE)
  wide = dataclasses.replace(_HEADS["tap"], input_width=_D + 1)
  with pytest.raises(errors.InputError, match="states of width 17"):
    saved_difficulty.check_fit(wide, tiny_verifier.SHAPE)
  deep = dataclasses.replace(_HEADS["tap"], tap=1)
  with pytest.raises(errors.InputError, match="tap is 1; it must be from 0"):
    saved_difficulty.check_fit(deep, tiny_verifier.SHAPE)


@pytest.mark.parametrize("field", ["input_width", "width", "tap"])
def test_sizes_out_of_range_are_refused(field):
  with pytest.raises(errors.InputError, match=f"{field} is -1"):
    difficulty_head.DifficultyHead(**{"input_width": 4, field: -1})


def test_no_question_and_a_long_prompt_are_refused():
  read = np.asarray
  with pytest.raises(errors.InputError, match="no question"):
    difficulty_head.over_prompts(read, [], prompt_tokens=4, rows=2)
  with pytest.raises(errors.InputError, match="question q4: the prompt has 7"):
    difficulty_head.over_prompts(
      lambda prompts: np.zeros(len(prompts.length)),
      _requests(5),
      prompt_tokens=6,
      rows=2,
    )
