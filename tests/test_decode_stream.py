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


def _run(requests, **settings):
  settings = {
    "sampler": sampling.Greedy(),
    "limits": LIMITS,
    "groups": 2,
    "rows": 1,
    "samples": 1,
  } | settings
  return decode_oracle.run(LM, PARAMS, requests, jax.random.key(0), **settings)


def _greedy(tokens):
  """Reads the whole sequence anew for each token, without any cache."""
  tokens, made = list(tokens), []
  while len(made) < LIMITS.max_tokens and made[-1:] != [LIMITS.end_token]:
    logits = LM.forward(PARAMS, jnp.array([tokens])).logits[0, -1]
    made.append(int(logits.argmax()))
    tokens.append(made[-1])
  return made


def test_greedy_equals_reading_the_whole_sequence_again():
  requests = decode_oracle.requests(5, 31)
  results = _run(requests)
  seen = set()
  for request in requests:
    expected = _greedy(request.tokens)
    found = results[request.id].candidates
    assert found.tokens[0, : found.length[0]].tolist() == expected
    seen |= set(expected)
  assert len(seen) > 5


def test_greedy_equals_a_direct_decode():
  requests = decode_oracle.requests(3, 31)
  results = _run(requests)
  for request in requests:
    prompts = stream.prompt(request, 8)
    prompt_state = LM.prefill(PARAMS, prompts)
    rows = LM.init_rows(1, 1, LIMITS.max_tokens)
    token = jnp.array([[request.tokens[-1]]])
    found = results[request.id].candidates
    for t in range(int(found.length[0])):
      output, rows = LM.decode(PARAMS, prompt_state, rows, token)
      token = output.logits.argmax(-1)
      assert int(token[0, 0]) == found.tokens[0, t]
      logprob = jax.nn.log_softmax(output.logits[0, 0])[token[0, 0]]
      np.testing.assert_allclose(found.token_logprob[0, t], logprob, atol=1e-5)


def test_results_name_their_questions_and_hold_arrays_of_their_own():
  requests = decode_oracle.requests(6, 31)
  results = _run(
    requests, sampler=sampling.Categorical(), samples=3, room=5, rows=2
  )
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


def test_questions_are_pulled_only_as_groups_fall_free():
  pulled = []

  def source():
    for request in decode_oracle.requests(6, 31):
      pulled.append(request.id)
      yield request

  state = loop.init_state(
    PARAMS,
    lm=LM,
    limits=LIMITS,
    groups=2,
    rows=1,
    samples=1,
    prompt_tokens=8,
  )
  results = stream.stream(
    PARAMS,
    state,
    source(),
    jax.random.key(0),
    admit=lambda params, *rest: loop.admit(params, *rest, lm=LM),
    chunk=lambda params, *rest: loop.decode_chunk(
      params, *rest, lm=LM, sampler=sampling.Greedy(), limits=LIMITS, steps=4
    ),
    samples=1,
    prompt_tokens=8,
  )
  next(results)
  assert pulled == ["q0", "q1"]


@pytest.mark.parametrize("length", [0, 9])
def test_a_prompt_that_does_not_fit_is_named(length):
  bad = stream.Request(id="algebra/17", uid=1, tokens=[1] * length)
  with pytest.raises(
    errors.InputError,
    match=f"algebra/17: the prompt has {length} tokens; .* from 1 to 8",
  ):
    _run([bad])


def test_more_samples_than_there_is_room_for_are_refused():
  with pytest.raises(errors.InputError, match="samples is 5; .* from 1 to 4"):
    _run(decode_oracle.requests(1, 31), samples=5, room=4)


def test_no_questions_make_no_results():
  assert _run([]) == {}
