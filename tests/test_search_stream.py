"""The host's side of search: exchange of questions, order, and faults."""

import chex
import decode_oracle
import jax
import numpy as np
import pytest
import search_models

from tts_jax import errors
from tts_jax.decode import stream as decode_stream
from tts_jax.search import setup as setups
from tts_jax.search import state, strategies

REQUESTS = decode_oracle.requests(6, search_models.VOCABULARY)
SETUP = search_models.make(strategies.Lookahead(8, 4, 1))


@pytest.fixture(scope="module")
def whole():
  """All questions as one batch."""
  return search_models.search(SETUP, REQUESTS)


@pytest.fixture(scope="module")
def run():
  """It fails at a second trace, whichever test asks for one."""
  chex.clear_trace_counter()
  watch = chex.assert_max_traces(n=1)
  return search_models.engine(SETUP, groups=2, watch=watch)


def _assert_same(results, whole):
  for q, request in enumerate(REQUESTS):
    if request.id in results:
      search_models.assert_same(
        results[request.id].search, search_models.at(whole[0], q)
      )


def test_the_stream_finds_what_the_batch_finds(run, whole):
  results = run(REQUESTS)
  assert len(results) == len(REQUESTS)
  _assert_same(results, whole)
  assert [results[r.id].index for r in REQUESTS] == list(range(6))
  assert [results[r.id].request for r in REQUESTS] == REQUESTS
  for result in results.values():
    for leaf in jax.tree.leaves(result.search):
      assert isinstance(leaf, np.ndarray | np.generic)


def test_neither_order_nor_company_nor_groups_matter(run, whole):
  _assert_same(run(REQUESTS[::-1]), whole)
  _assert_same(run(REQUESTS[3:4]), whole)
  other = search_models.engine(SETUP, groups=3, steps=1)
  _assert_same(other(REQUESTS[1:] + REQUESTS[:1]), whole)


def test_stats_count_what_was_done(run, whole):
  results = run(REQUESTS)
  stats = max((r.stats for r in results.values()), key=lambda s: s.steps)
  cost = whole[0].cost
  assert stats.row_steps == whole[1].row_steps
  assert stats.row_steps == (cost.generated + cost.lookahead).sum()
  assert stats.prefilled == cost.prefilled.sum()
  assert stats.slots == 2 * 8 * stats.steps
  # Groups that are done take a new question: the batch waits for its longest.
  waiting = int(whole[1].steps) * whole[0].valid.size
  assert stats.slots < waiting


def test_a_score_that_is_no_number_names_its_question(run):
  entries = np.array(search_models.ENTRIES, np.float32)
  entries[9, 9] = np.nan
  broken = search_models.weights(SETUP).replace(verifier={"table": entries})
  bad = decode_stream.Request(id="algebra/17", uid=6, tokens=[9, 2])
  with pytest.raises(errors.InputError, match=r"algebra/17: .* NaN"):
    run([bad], params=broken)


def test_one_program_whatever_the_questions(run):
  # `run` counts; groups run dry and chunks end for every reason.
  for count in (1, 7):
    requests = decode_oracle.requests(count, search_models.VOCABULARY, seed=4)
    assert len(run(requests)) == count


@pytest.mark.parametrize("length", [0, 9])
def test_a_prompt_that_does_not_fit_is_named(run, length):
  bad = decode_stream.Request(id="algebra/17", uid=1, tokens=[1] * length)
  with pytest.raises(
    errors.InputError,
    match=f"algebra/17: the prompt has {length} tokens; .* from 1 to 8",
  ):
    run([bad])


@pytest.mark.parametrize(
  ("fields", "said"),
  [
    ({"delimiters": frozenset({3, 11})}, "token 11; .* are 0 to 10"),
    ({"delimiters": frozenset({-1})}, "token -1; .* are 0 to 10"),
    ({"step_tokens": 0}, "step_tokens is 0; it must be at least 1"),
  ],
)
def test_steps_that_cannot_be_are_refused(fields, said):
  with pytest.raises(errors.InputError, match=said):
    search_models.make(strategies.BestOfN(2), **fields)


def test_a_state_without_groups_is_refused():
  weights = search_models.weights(SETUP)
  assert isinstance(weights, setups.Weights)
  with pytest.raises(errors.InputError, match=r"groups is 0; .* at least 1"):
    state.init_state(weights, setup=SETUP, groups=0, prompt_tokens=8)


def test_no_questions_make_no_results(run):
  assert run([]) == {}
