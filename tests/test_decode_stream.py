"""The host's side: exchange of questions, its faults, and greedy decoding."""

import decode_oracle
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tts_jax import errors, types
from tts_jax.decode import loop, sampling, stream
from tts_jax.model import config, transformer

LM = transformer.Transformer(
  config.TransformerConfig(
    vocabulary=31,
    width=16,
    layers=2,
    heads=4,
    kv_heads=2,
    head_width=8,
    mlp_width=32,
    max_positions=64,
  )
)
# Drawn parameters are near 0 and would make every continuation alike.
PARAMS = jax.tree.map(lambda leaf: 8 * leaf, LM.init(jax.random.key(0)))
LIMITS = loop.Limits(max_tokens=10, end_token=0)


KEY = jax.random.key(0)


def _engine(**settings):
  settings = {
    "sampler": sampling.Greedy(),
    "limits": LIMITS,
    "groups": 2,
    "rows": 1,
    "room": 1,
  } | settings
  return decode_oracle.engine(LM, PARAMS, **settings)


@pytest.fixture(scope="module")
def run():
  return _engine()


@pytest.fixture(scope="module")
def greedy(run):
  """Greedy completions of five questions."""
  return decode_oracle.by_id(run(decode_oracle.requests(5, 31), KEY, 1))


def test_greedy_equals_reading_the_whole_sequence_again(greedy):
  forward = jax.jit(LM.forward)
  seen = set()
  for request in decode_oracle.requests(5, 31):
    tokens, made = list(request.tokens), []
    while len(made) < LIMITS.max_tokens and made[-1:] != [LIMITS.end_token]:
      padded = jnp.array([tokens + [0] * (18 - len(tokens))])
      logits = forward(PARAMS, padded).logits[0, len(tokens) - 1]
      made.append(int(logits.argmax()))
      tokens.append(made[-1])
    found = greedy[request.id].candidates
    assert found.tokens[0, : found.length[0]].tolist() == made
    seen |= set(made)
  assert len(seen) > 5


def test_greedy_equals_a_direct_decode(greedy):
  prefill, decode = jax.jit(LM.prefill), jax.jit(LM.decode)
  for request in decode_oracle.requests(3, 31):
    prompts = stream.prompt(request, 8)
    _, prompt_state = prefill(PARAMS, prompts)
    rows = LM.init_rows(1, 1, LIMITS.max_tokens)
    token = jnp.array([[request.tokens[-1]]])
    found = greedy[request.id].candidates
    for t in range(int(found.length[0])):
      output, rows = decode(PARAMS, prompt_state, rows, token)
      token = output.logits.argmax(-1)
      assert int(token[0, 0]) == found.tokens[0, t]
      logprob = jax.nn.log_softmax(output.logits[0, 0])[token[0, 0]]
      np.testing.assert_allclose(found.token_logprob[0, t], logprob, atol=1e-4)


def test_results_name_their_questions_and_hold_arrays_of_their_own():
  requests = decode_oracle.requests(6, 31)
  run = _engine(sampler=sampling.Categorical(), room=5, rows=2)
  results = decode_oracle.by_id(run(requests, KEY, 3))
  assert [results[r.id].index for r in requests] == list(range(6))
  assert [results[r.id].request for r in requests] == requests
  for result in results.values():
    assert isinstance(result.candidates, types.Candidates)
    for leaf in jax.tree.leaves(result.candidates):
      assert isinstance(leaf, np.ndarray)
      assert leaf.shape[0] == 3
    beyond = np.arange(10) >= result.candidates.length[:, None]
    assert not result.candidates.tokens[beyond].any()
    assert not result.candidates.token_logprob[beyond].any()


def test_questions_are_pulled_only_as_groups_fall_free(run):
  pulled = []

  def source():
    for request in decode_oracle.requests(6, 31):
      pulled.append(request.id)
      yield request

  next(run(source(), KEY, 1))
  assert pulled == ["q0", "q1"]


@pytest.mark.parametrize("length", [0, 9])
def test_a_prompt_that_does_not_fit_is_named(run, length):
  good = decode_oracle.requests(2, 31)
  bad = stream.Request(id="algebra/17", uid=1, tokens=[1] * length)
  results = run([*good, bad], KEY, 1)
  assert next(results).request in good
  with pytest.raises(
    errors.InputError,
    match=f"algebra/17: the prompt has {length} tokens; .* from 1 to 8",
  ):
    list(results)


@pytest.mark.parametrize("samples", [0, 2])
def test_samples_that_do_not_fit_are_refused(run, samples):
  with pytest.raises(
    errors.InputError, match=f"samples is {samples}; .* from 1 to 1"
  ):
    list(run(decode_oracle.requests(1, 31), KEY, samples))


def test_no_questions_make_no_results(run):
  assert list(run([], KEY, 1)) == []
