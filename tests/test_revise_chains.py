"""Chains of revisions against plain loops that read all at each token."""

import dataclasses
import functools

import decode_oracle
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.decode import lineage, loop, sampling, stream
from tts_jax.model import config, transformer
from tts_jax.revise import chains, rows
from tts_jax.revise import state as states
from tts_jax.revise import stream as chain_stream

_V, _END, _P = 12, 3, 6
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
_KEY = jax.random.key(5)
_REQUESTS = decode_oracle.requests(4, _V, longest=_P)


@functools.cache
def _params():
  params = _LM.init(jax.random.key(1))
  # Far from uniform, so that an answer depends on what is in its context.
  return jax.tree.map(lambda leaf: 6 * leaf if leaf.ndim > 1 else leaf, params)


@functools.cache
def _read():
  return jax.jit(lambda tokens: _LM.forward(_params(), tokens).logits)


def _context(sizes, ends, plan):
  """What the next answer sees: of the latest whole ones as many as fit."""
  whole = [i for i, end in enumerate(ends) if end][-plan.window :]
  while sum(sizes[i] for i in whole) > plan.context_tokens:
    whole.pop(0)
  return whole


def _oracle_chain(request, chain, length, plan, stop=(_END,)):
  """Answers, whether each has its end, and their log-probabilities.

  One forward pass a token, over all that the token sees.
  """
  answers, ends, logprobs = [], [], []
  last = [[end] for end in stop]
  for answer in range(length):
    context = _context([len(one) for one in answers], ends, plan)
    seen = [*request.tokens, *(t for i in context for t in answers[i])]
    written, nats = [], []
    while len(written) < _LIMITS.max_tokens and written[-1:] not in last:
      tokens = [*seen, *written]
      padded = np.zeros((1, 64), np.int32)
      padded[0, : len(tokens)] = tokens
      logits = _read()(padded)[0, len(tokens) - 1]
      at = (answer << 16) + len(written)
      uniform = float(lineage.uniform(_KEY, request.uid, chain, at))
      written.append(decode_oracle.token_of(logits, uniform))
      nats.append(float(jax.nn.log_softmax(logits)[written[-1]]))
    answers.append(written)
    ends.append(written[-1] in stop)
    logprobs.append(nats)
  return answers, ends, logprobs


def _engine(plan, *, groups=2, rows=2, rebuilt=2, steps=7, limits=_LIMITS):
  setup = states.Setup(
    lm=_LM,
    sampler=sampling.Categorical(),
    limits=limits,
    plan=plan,
    rebuilt=rebuilt,
  )
  state = states.init_state(
    _params(), setup=setup, groups=groups, rows=rows, prompt_tokens=_P
  )
  chunk = functools.partial(chains.chain_chunk, setup=setup, steps=steps)
  admit = functools.partial(states.admit, setup=setup)
  return functools.partial(
    chain_stream.run,
    _params(),
    state,
    key=_KEY,
    admit=jax.jit(admit, donate_argnums=1),
    chunk=jax.jit(chunk, donate_argnums=1),
    prompt_tokens=_P,
  )


def _answers(result, plan):
  """Tokens of each answer of each chain."""
  found = []
  for start, length in zip(plan.starts, plan.lengths, strict=True):
    mine = range(start, start + length)
    found.append(
      [
        result.candidates.tokens[i, : result.candidates.length[i]].tolist()
        for i in mine
      ]
    )
  return found


_PLANS = {
  "the window moves": states.Plan(
    lengths=(9, 6, 1), window=2, context_tokens=12
  ),
  "the tokens' room is short": states.Plan(
    lengths=(5, 4), window=4, context_tokens=7
  ),
  "hardly an answer fits": states.Plan(lengths=(4, 4), context_tokens=2),
  "no context": states.Plan(lengths=(3, 2), context_tokens=0),
}


@pytest.mark.parametrize("name", _PLANS)
def test_answers_are_those_of_plain_loops(name):
  plan = _PLANS[name]
  results = list(_engine(plan)(_REQUESTS))
  assert sorted(one.index for one in results) == list(range(len(_REQUESTS)))
  kinds = set()
  for result in results:
    read = 0
    found = _answers(result, plan)
    for chain, length in enumerate(plan.lengths):
      answers, ends, logprobs = _oracle_chain(
        result.request, chain, length, plan
      )
      assert found[chain] == answers
      start = plan.starts[chain]
      mine = slice(start, start + length)
      assert result.candidates.finished[mine].tolist() == ends
      for row, nats in zip(
        result.candidates.token_logprob[mine], logprobs, strict=True
      ):
        np.testing.assert_allclose(row[: len(nats)], nats, atol=1e-4)
      sizes = [len(one) for one in answers]
      contexts = [
        _context(sizes[:number], ends[:number], plan)
        for number in range(length)
      ]
      assert rows.shown(sizes, ends, plan) == contexts
      anew = [0]
      for number in range(1, length):
        before, now = contexts[number - 1], contexts[number]
        grown = [*before, number - 1] if ends[number - 1] else before
        kinds.add((now == grown, ends[number - 1], bool(now)))
        anew.append(0 if now == grown else sum(sizes[i] for i in now))
      assert rows.reread(sizes, ends, contexts) == anew
      read += sum(anew)
    assert result.cost.generated == result.candidates.length.sum()
    assert result.cost.prefilled == len(result.request.tokens) - 1 + read
  if name == "the window moves":
    # It grows, it is cut, it moves.
    assert {(True, True, True), (True, False, True), (False, True, True)} <= (
      kinds
    )


@pytest.mark.parametrize("name", ["the window moves", "hardly an answer fits"])
def test_an_answer_is_read_with_the_end_that_it_has(name):
  plan, ends = _PLANS[name], (_END, 7)
  limits = loop.Limits(max_tokens=_LIMITS.max_tokens, end_token=ends)
  last = set()
  for result in _engine(plan, limits=limits)(_REQUESTS):
    found = _answers(result, plan)
    for chain, length in enumerate(plan.lengths):
      answers, whole, _ = _oracle_chain(
        result.request, chain, length, plan, ends
      )
      assert found[chain] == answers
      last |= {one[-1] for one, end in zip(answers, whole, strict=True) if end}
  assert last == set(ends)


def test_the_first_answers_do_not_depend_on_what_runs_beside():
  short = states.Plan(lengths=(2, 2), window=2, context_tokens=12)
  long = states.Plan(lengths=(6, 2, 2), window=2, context_tokens=12)
  before = decode_oracle.by_id(_engine(short, groups=1, rows=1)(_REQUESTS))
  after = decode_oracle.by_id(
    _engine(long, groups=3, rows=2, rebuilt=1)(_REQUESTS[::-1])
  )
  for id_, result in before.items():
    here, there = _answers(result, short), _answers(after[id_], long)
    assert here == [there[0][:2], there[1]]


@pytest.mark.parametrize("room", [12, 2])
def test_given_answers_are_revised_as_own_ones_are(room):
  plan = states.Plan(lengths=(5, 3, 2), window=2, context_tokens=room)
  own = decode_oracle.by_id(_engine(plan)(_REQUESTS))
  requests = []
  for one in _REQUESTS:
    chains_of = _answers(own[one.id], plan)
    # A cut answer cannot be given: its chain writes it again. So does the
    # second chain, whole or not.
    firsts = [
      chain[0] if chain[0][-1] == _END and number != 1 else []
      for number, chain in enumerate(chains_of)
    ]
    requests.append(
      chain_stream.Request(**dataclasses.asdict(one), given=firsts)
    )
  assert any(answer for one in requests for answer in one.given)
  assert not all(answer for one in requests for answer in one.given)
  too_long = False
  for result in _engine(plan)(requests):
    before = own[result.request.id]
    assert _answers(result, plan) == _answers(before, plan)
    np.testing.assert_array_equal(
      result.candidates.finished, before.candidates.finished
    )
    given = [len(answer) for answer in result.request.given]
    assert result.cost.generated == before.cost.generated - sum(given)
    # They are read once, by the answer that revises them, if it has room.
    read = sum(size for size in given if size <= room)
    assert result.cost.prefilled == before.cost.prefilled + read
    anew = 0
    for start, length, first in zip(
      plan.starts, plan.lengths, result.request.given, strict=True
    ):
      mine = slice(start, start + length)
      sizes = result.candidates.length[mine].tolist()
      ends = result.candidates.finished[mine].tolist()
      contexts = rows.shown(sizes, ends, plan)
      anew += sum(rows.reread(sizes, ends, contexts, given=bool(first)))
    assert result.cost.prefilled == len(result.request.tokens) - 1 + anew
    too_long |= any(size > room for size in given)
  assert too_long == (room == 2)


@pytest.mark.parametrize(
  ("lengths", "given", "message"),
  [
    ((2, 2), ((1, _END),), "1 answers are given for 2 chains"),
    ((2, 2), ((1,) * 7, ()), "a given answer has 7 tokens"),
    ((2, 1), ((1, _END), ()), r"chains of \[2, 1\]; each must have at least 2"),
  ],
)
def test_given_answers_that_do_not_fit(lengths, given, message):
  plan = states.Plan(lengths=lengths, context_tokens=12)
  request = chain_stream.Request(id="q", uid=1, tokens=[1], given=given)
  with pytest.raises(errors.InputError, match=message):
    list(_engine(plan)([request]))


def test_extending_a_prompt_is_decoding_token_by_token():
  tokens = np.random.default_rng(0).integers(0, _V, (3, 7)).astype(np.int32)
  prompts = stream.prompt(_REQUESTS[0], _P)
  prompts = jax.tree.map(lambda x: jnp.repeat(x, 3, axis=0), prompts)
  _, state = _LM.prefill(_params(), prompts)
  output, block = _LM.extend(_params(), state, tokens)
  rows = _LM.init_rows(3, 1, 7)
  for t in range(7):
    one, rows = _LM.decode(_params(), state, rows, tokens[:, t : t + 1])
    np.testing.assert_allclose(
      one.logits[:, 0], output.logits[:, t], atol=2e-5, rtol=2e-5
    )
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, atol=2e-5, rtol=2e-5),
    rows,
    block,
  )


def test_it_compiles_once_and_forwards_what_it_generates():
  plan = states.Plan(lengths=(4, 4), window=2, context_tokens=12)
  setup = states.Setup(
    lm=_LM, sampler=sampling.Greedy(), limits=_LIMITS, plan=plan
  )
  traces = []

  def chunk(params, state, key):
    traces.append(1)
    return chains.chain_chunk(params, state, key, setup=setup, steps=5)

  state = states.init_state(
    _params(), setup=setup, groups=2, rows=2, prompt_tokens=_P
  )
  results = list(
    chain_stream.run(
      _params(),
      state,
      _REQUESTS,
      _KEY,
      admit=jax.jit(functools.partial(states.admit, setup=setup)),
      chunk=jax.jit(chunk),
      prompt_tokens=_P,
    )
  )
  assert len(traces) == 1
  generated = sum(int(one.candidates.length.sum()) for one in results)
  assert results[-1].stats.generated == generated


@pytest.mark.parametrize(
  ("make", "message"),
  [
    (lambda: states.Plan(lengths=(), context_tokens=4), "must be a chain"),
    (lambda: states.Plan(lengths=(2, 0), context_tokens=4), "at least 1"),
    (
      lambda: states.Plan(lengths=(2,), window=0, context_tokens=4),
      "window is 0",
    ),
    (lambda: states.Plan(lengths=(2,), context_tokens=-1), "context_tokens"),
    (
      lambda: list(
        _engine(states.Plan(lengths=(2,), context_tokens=4))(
          [stream.Request(id="long", uid=1, tokens=[1] * (_P + 1))]
        )
      ),
      "question long: the prompt has 7 tokens",
    ),
  ],
)
def test_bad_input(make, message):
  with pytest.raises(errors.InputError, match=message):
    make()
