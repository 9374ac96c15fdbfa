"""Chains of one answer, all in parallel, are plain best-of-N."""

import functools

import decode_oracle
import jax
import numpy as np
import pytest

from tts_jax.decode import loop, sampling
from tts_jax.model import config, transformer
from tts_jax.revise import chains, stream
from tts_jax.revise import state as states
from tts_jax.scaling import choices, revisions
from tts_jax.verify import choosing

_V, _END, _P, _N = 12, 3, 6, 9
_LM = transformer.Transformer(
  config.TransformerConfig(
    vocabulary=_V,
    width=16,
    layers=2,
    heads=4,
    kv_heads=2,
    head_width=4,
    mlp_width=16,
    max_positions=64,
  )
)
_LIMITS = loop.Limits(max_tokens=6, end_token=_END)
_SAMPLER = sampling.Categorical(temperature=0.9)
_KEY = jax.random.key(5)
_REQUESTS = decode_oracle.requests(5, _V, longest=_P)


@functools.cache
def _params():
  params = _LM.init(jax.random.key(1))
  return jax.tree.map(lambda leaf: 6 * leaf if leaf.ndim > 1 else leaf, params)


@functools.cache
def _samples():
  """{id: candidates [N, T]}, as `decode.stream` draws them."""
  run = decode_oracle.engine(
    _LM,
    _params(),
    groups=2,
    rows=2,
    room=_N,
    prompt_tokens=_P,
    sampler=_SAMPLER,
    limits=_LIMITS,
  )
  results = run(_REQUESTS, _KEY, _N)
  return {one.request.id: one.candidates for one in results}


def _chains(context_tokens):
  """The same of N chains of one answer."""
  plan = states.Plan(lengths=(1,) * _N, context_tokens=context_tokens)
  setup = states.Setup(lm=_LM, sampler=_SAMPLER, limits=_LIMITS, plan=plan)
  state = states.init_state(
    _params(), setup=setup, groups=3, rows=4, prompt_tokens=_P
  )
  chunk = functools.partial(chains.chain_chunk, setup=setup, steps=5)
  results = stream.run(
    _params(),
    state,
    _REQUESTS,
    _KEY,
    admit=jax.jit(functools.partial(states.admit, setup=setup)),
    chunk=jax.jit(chunk),
    prompt_tokens=_P,
  )
  return {one.request.id: one.candidates for one in results}


def _judged(candidates):
  """Answers [N], -1 where there is none, and scores [N], of any candidates."""
  answers = candidates.tokens[:, 0] % 4 - 1
  score = np.exp(candidates.token_logprob.sum(1) / candidates.length)
  return answers.astype(np.int32), score


@pytest.mark.parametrize("context_tokens", [0, 12])
def test_their_answers_are_the_samples(context_tokens):
  found = _chains(context_tokens)
  assert set(found) == {one.id for one in _REQUESTS}
  for id_, sampled in _samples().items():
    for name in ("tokens", "length", "finished"):
      np.testing.assert_array_equal(
        getattr(found[id_], name), getattr(sampled, name)
      )
    np.testing.assert_allclose(
      found[id_].token_logprob, sampled.token_logprob, atol=1e-5
    )


def test_the_answer_chosen_is_that_of_best_of_n_weighted():
  found = _chains(12)
  several = 0
  for id_, sampled in _samples().items():
    answers, score = _judged(sampled)
    plain = choosing.best_of_n_weighted(answers, score)
    answers, score = _judged(found[id_])
    chosen = choosing.hierarchical(answers[:, None], score[:, None])
    np.testing.assert_allclose(chosen[:, 0], plain, atol=1e-6)
    several += len(set(answers[answers >= 0])) > 1
  assert several >= 3


def test_so_are_the_values_at_each_number_of_chains():
  found = _chains(12)
  both = []
  for drawn in (_samples(), found):
    judged = [_judged(drawn[one.id]) for one in _REQUESTS]
    answers, score = (np.stack(part) for part in zip(*judged, strict=True))
    # Right is the largest number that a question has for an answer.
    both.append((answers, answers == answers.max(1, keepdims=True), score))
  plain = choices.weighted_at_k(*both[0], range(1, _N + 1), draws=4000)
  assert 0 < plain[:, 1].mean() < 1
  for count in range(1, _N + 1):
    answers, correct, score = (values[..., None] for values in both[1])
    np.testing.assert_allclose(
      revisions.hierarchical(answers, correct, score, count, draws=4000),
      plain[:, count - 1],
      atol=1e-9 if count in (1, _N) else 0.05,
    )
