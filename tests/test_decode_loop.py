"""The whole decode loop over a table model, against loops of numpy."""

import dataclasses

import chex
import decode_oracle
import jax
import jax.numpy as jnp
import label_oracle
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.decode import lineage, loop, sampling, stream
from tts_jax.model import table

VOCABULARY = 11
END = 0
LIMITS = loop.Limits(max_tokens=12, end_token=END)
TABLE = tuple(
  map(
    tuple,
    np.random.default_rng(1).normal(size=(VOCABULARY, VOCABULARY)).tolist(),
  )
)
LM = table.TableModel(TABLE)
PARAMS = LM.init(jax.random.key(0))
KEY = jax.random.key(7)
SAMPLER = sampling.Categorical(temperature=1.3, top_p=0.9)


def _engine(**settings):
  settings = {
    "sampler": SAMPLER,
    "limits": LIMITS,
    "groups": 2,
    "rows": 3,
    "room": 9,
  } | settings
  run = decode_oracle.engine(LM, PARAMS, **settings)
  return lambda requests, samples=9: decode_oracle.by_id(
    run(requests, KEY, samples)
  )


@pytest.fixture(scope="module")
def run():
  """Runs requests at the settings that other tests depart from.

  It fails at a second trace, whichever test asks for one.
  """
  chex.clear_trace_counter()
  return _engine(watch=chex.assert_max_traces(n=1))


@pytest.fixture(scope="module")
def results(run):
  return run(decode_oracle.requests(5, VOCABULARY))


def _assert_same(left, right, samples):
  assert left.keys() == right.keys()
  for id_ in left:
    chex.assert_trees_all_equal(
      *(
        jax.tree.map(lambda leaf: leaf[:samples], results[id_].candidates)
        for results in (left, right)
      )
    )


def test_equals_the_oracle(results):
  requests = decode_oracle.requests(5, VOCABULARY)
  cut = 0
  for request in requests:
    tokens, length, finished, logprob = decode_oracle.sample(
      TABLE,
      request,
      KEY,
      samples=9,
      limits=LIMITS,
      temperature=SAMPLER.temperature,
      top_p=SAMPLER.top_p,
    )
    found = results[request.id].candidates
    np.testing.assert_array_equal(found.tokens, tokens)
    np.testing.assert_array_equal(found.length, length)
    np.testing.assert_array_equal(found.finished, finished)
    np.testing.assert_allclose(found.token_logprob, logprob, atol=2e-6)
    np.testing.assert_allclose(found.logprob, logprob.sum(-1), atol=2e-5)
    cut += (~finished).sum()
  # Both ends of a sample were met, or the comparison shows too little.
  assert 0 < cut < 45


@pytest.mark.parametrize(
  "settings",
  [
    {"rows": 1, "steps": 7},
    {"rows": 16, "steps": 64, "groups": 1},
    {"groups": 6, "steps": 1, "room": 30},
  ],
)
def test_samples_depend_on_lineage_alone(results, settings):
  found = _engine(**settings)(decode_oracle.requests(5, VOCABULARY))
  _assert_same(results, found, 9)


def test_fewer_samples_are_a_prefix(run, results):
  requests = decode_oracle.requests(5, VOCABULARY)
  _assert_same(results, run(requests, samples=4), 4)
  _assert_same(results, run(requests, samples=1), 1)


def test_neither_order_nor_company_of_questions_matters(run, results):
  requests = decode_oracle.requests(5, VOCABULARY)
  _assert_same(results, run(requests[::-1]), 9)
  _assert_same({"q2": results["q2"]}, run(requests[2:3]), 9)


def test_rows_of_a_group_may_be_permuted(results):
  requests = decode_oracle.requests(5, VOCABULARY)
  state = loop.init_state(
    PARAMS, lm=LM, limits=LIMITS, groups=1, rows=4, samples=4, prompt_tokens=8
  )
  state = loop.admit(
    PARAMS,
    state,
    jnp.int32(0),
    stream.prompt(requests[1], 8),
    jnp.int32(4),
    lm=LM,
  )
  state = state.replace(sample=jnp.array([[2, 0, 3, 1]]))
  state, _ = loop.decode_chunk(
    PARAMS, state, KEY, lm=LM, sampler=SAMPLER, limits=LIMITS, steps=99
  )
  for found, expected in zip(
    jax.tree.leaves(state.candidates),
    jax.tree.leaves(results["q1"].candidates),
    strict=True,
  ):
    np.testing.assert_array_equal(found[0], expected[:4])


def test_other_keys_uids_samples_and_tokens_draw_other_numbers():
  draws = {
    float(lineage.uniform(jax.random.key(seed), uid, sample, token))
    for seed in (0, 1)
    for uid in (0, 1, 2**32 - 1)
    for sample in (0, 1)
    for token in (0, 1)
  }
  assert len(draws) == 24


def test_draws_in_a_batch_are_those_of_the_definition():
  uid = jnp.array([3, 2**32 - 5], jnp.uint32)
  sample = jnp.array([[0, 5, 2], [1, 1, 7]])
  token = jnp.array([[0, 9, 4], [3, 2, 0]])
  keys = lineage.sample_keys(lineage.question_keys(KEY, uid), sample)
  draws = lineage.draw(keys, token)
  for at in np.ndindex(2, 3):
    assert draws[at] == lineage.uniform(
      KEY, int(uid[at[0]]), int(sample[at]), int(token[at])
    )


def test_every_row_step_is_a_token_and_refill_keeps_rows_at_work():
  requests = decode_oracle.requests(3, VOCABULARY)
  results = _engine(groups=1, rows=4, room=64)(requests, samples=64)
  stats = max((r.stats for r in results.values()), key=lambda s: s.steps)
  generated = sum(r.candidates.length.sum() for r in results.values())
  assert stats.row_steps == stats.generated == generated
  assert stats.slots == 4 * stats.steps
  assert stats.prefilled == sum(len(r.tokens) - 1 for r in requests)
  # Without refill a batch of rows lasts as long as its longest sample.
  waiting = sum(
    4 * int(r.candidates.length.reshape(-1, 4).max(-1).sum())
    for r in results.values()
  )
  assert generated / waiting < 0.8
  assert stats.utilisation > 0.9


def test_a_sample_of_one_token_and_more_rows_than_samples():
  requests = decode_oracle.requests(3, VOCABULARY)
  limits = loop.Limits(max_tokens=1, end_token=END)
  for result in _engine(limits=limits, rows=12)(requests).values():
    np.testing.assert_array_equal(result.candidates.length, 1)
    np.testing.assert_array_equal(
      result.candidates.finished, result.candidates.tokens[:, 0] == END
    )


def test_one_trace_of_each_for_every_run(run):
  # `run` counts; chunks here end for every reason and groups run dry.
  for count in (1, 7):
    assert len(run(decode_oracle.requests(count, VOCABULARY))) == count


def test_a_chunk_without_work_takes_no_step():
  state = loop.init_state(
    PARAMS, lm=LM, limits=LIMITS, groups=2, rows=3, samples=9, prompt_tokens=8
  )
  after, usage = loop.decode_chunk(
    PARAMS, state, KEY, lm=LM, sampler=SAMPLER, limits=LIMITS, steps=5
  )
  assert (int(usage.steps), int(usage.row_steps)) == (0, 0)
  chex.assert_trees_all_equal(after, state)


@pytest.mark.parametrize("ends", [(END,), (END, 4), (4, 9, END)])
def test_each_of_several_end_tokens_ends_a_sample(ends):
  limits = loop.Limits(max_tokens=12, end_token=ends)
  requests = decode_oracle.requests(3, VOCABULARY)
  last = set()
  for result in _engine(limits=limits)(requests).values():
    tokens, length, finished, _ = decode_oracle.sample(
      TABLE,
      result.request,
      KEY,
      samples=9,
      limits=limits,
      temperature=SAMPLER.temperature,
      top_p=SAMPLER.top_p,
    )
    np.testing.assert_array_equal(result.candidates.tokens, tokens)
    np.testing.assert_array_equal(result.candidates.length, length)
    np.testing.assert_array_equal(result.candidates.finished, finished)
    last |= {
      row[size - 1]
      for row, size, end in zip(tokens, length, finished, strict=True)
      if end
    }
  assert last == set(ends)


def test_limits_without_a_token_or_an_end_are_refused():
  with pytest.raises(errors.InputError, match="max_tokens is 0"):
    loop.Limits(max_tokens=0, end_token=END)
  with pytest.raises(errors.InputError, match=r"end_token is \(\)"):
    loop.Limits(max_tokens=1, end_token=())


def test_branches_of_a_prompt_are_sampled_as_prompts_of_their_own(results):
  sample = label_oracle.engine(LM, PARAMS, SAMPLER, LIMITS, key=KEY, rows=3)
  (_, *others, last) = decode_oracle.requests(5, VOCABULARY)
  branches = [
    stream.Branch(length=length, uid=7 * length, max_tokens=most)
    for length, most in ((2, 12), (1, 3), (5, 1))
  ]
  branched = dataclasses.replace(last, branches=branches)
  found = decode_oracle.by_id(
    sample([*others, branched], samples=9, room=27, prompt_tokens=8)
  )
  # Beside them, ordinary questions are what they were.
  _assert_same(
    {id_: results[id_] for id_ in ("q1", "q2", "q3")},
    {id_: found[id_] for id_ in ("q1", "q2", "q3")},
    9,
  )
  candidates = found["q4"].candidates
  for place, branch in enumerate(branches):
    tokens, length, finished, _ = decode_oracle.sample(
      TABLE,
      stream.Request(
        id="", uid=branch.uid, tokens=last.tokens[: branch.length]
      ),
      KEY,
      samples=9,
      limits=loop.Limits(max_tokens=branch.max_tokens, end_token=END),
      temperature=SAMPLER.temperature,
      top_p=SAMPLER.top_p,
    )
    here = slice(9 * place, 9 * place + 9)
    np.testing.assert_array_equal(
      candidates.tokens[here, : branch.max_tokens], tokens
    )
    np.testing.assert_array_equal(candidates.length[here], length)
    np.testing.assert_array_equal(candidates.finished[here], finished)
