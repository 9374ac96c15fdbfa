"""The traps of other implementations, numbered as in the paper's notes.

Those of selection alone are in `test_search_selection` too.
"""

import dataclasses
import functools

import decode_oracle
import jax
import numpy as np
import pytest
import search_models

from tts_jax.search import strategies
from tts_jax.verify import choosing

REQUESTS = decode_oracle.requests(6, search_models.VOCABULARY)
BEAM = search_models.make(strategies.Beam(16, 4), step_tokens=5)
AHEAD = search_models.make(
  strategies.Lookahead(8, 2, 3), step_tokens=3, verifier=search_models.READER
)
SHORT = search_models.make(strategies.Beam(8, 2), max_tokens=5)
DVTS = search_models.make(strategies.DiverseBeam(12, 4))


def _run(setup):
  return search_models.search(setup, REQUESTS)[0]


@functools.partial(jax.jit, static_argnums=0)
def _forward(verifier, params, read, drawn, in_prompt):
  logits = verifier.forward(
    params, read, None, drawn, None, in_prompt=in_prompt
  )
  return jax.nn.sigmoid(logits)


def _scores_of_text(setup, tokens, request):
  """The table verifier's score after each token of a completion."""
  params = search_models.weights(setup).verifier
  read = np.array([[request.tokens[0], request.tokens[-1], *tokens[:-1]]])
  drawn = np.array([[request.tokens[-1], *tokens]])
  in_prompt = np.arange(read.size) == 0
  scores = _forward(setup.verifier, params, read, drawn, in_prompt[None])
  return np.asarray(scores)[0, 1:]


def _held(result):
  """(question, row, its steps) of every candidate."""
  for q, i in np.argwhere(result.candidates.length > 0):
    yield q, i, int(result.step_count[q, i])


def test_1_a_step_is_scored_at_its_rollouts_end_not_without_it():
  differ = same = 0
  for setup in (AHEAD, BEAM):
    result = _run(setup)
    for q, i, steps in _held(result):
      # What stands behind the end changes nothing before it.
      tokens = result.candidates.tokens[q, i]
      plain = _scores_of_text(setup, tokens, REQUESTS[q])
      at_ends = plain[result.step_end[q, i, :steps] - 1]
      scores = result.step_score[q, i, :steps]
      if setup is BEAM:
        np.testing.assert_allclose(scores, at_ends, atol=1e-6)
      else:
        # With nothing ahead, at the end of the text, it is the text's own.
        if result.candidates.finished[q, i]:
          np.testing.assert_allclose(scores[-1], at_ends[-1], atol=1e-6)
          same += 1
        differ += (abs(scores - at_ends)[:-1] > 1e-3).sum()
  assert same > 5
  assert differ > 20


def test_2_what_aggregates_step_scores_is_the_one_that_was_asked_for():
  found = {}
  for aggregate in (choosing.last, choosing.least):
    setup = dataclasses.replace(BEAM, aggregate=aggregate)
    trace = _run(setup).trace
    found[aggregate] = trace.score
  for r in range(2):
    # In the first round there is one step; later the least can only fall.
    equal = (found[choosing.last][:, r] == found[choosing.least][:, r]).all()
    assert equal == (r == 0)


@pytest.mark.parametrize("setup", [BEAM, AHEAD, SHORT, DVTS])
def test_3_no_step_is_empty_and_the_last_one_ends_the_text(setup):
  result = _run(setup)
  for q, i, steps in _held(result):
    length = int(result.candidates.length[q, i])
    ends = result.step_end[q, i, :steps].tolist()
    assert np.diff([0, *ends]).min() >= 1
    assert ends[-1] == length
    tokens = result.candidates.tokens[q, i]
    inside = set(range(length)) - {end - 1 for end in ends}
    # The delimiter belongs to the step that it ends.
    assert not {int(tokens[t]) for t in inside} & search_models.DELIMITERS


@pytest.mark.parametrize("setup", [BEAM, AHEAD, DVTS])
def test_4_finished_beams_hold_one_place_with_their_score(setup):
  trace = _run(setup).trace
  kept, cut = 0, 0
  for q in range(len(REQUESTS)):
    for r in range(1, int(trace.rounds[q])):
      before = trace.finished[q, r - 1] & (trace.parent[q, r - 1] >= 0)
      for i in np.flatnonzero(before):
        children = np.flatnonzero(trace.parent[q, r] == i)
        # Never cloned; in its own row or nowhere.
        assert children.tolist() in ([], [i])
        if not children.size:
          cut += 1
          continue
        kept += 1
        assert trace.score[q, r, i] == trace.score[q, r - 1, i]
        assert not trace.exists[q, r, i]
        assert trace.end[q, r, i] == trace.end[q, r - 1, i]
  # They survive by rank: not all of them do.
  assert kept
  assert cut


def test_4_what_was_cut_does_not_come_back_and_scored_less():
  trace = _run(BEAM).trace
  compared = 0
  for q in range(len(REQUESTS)):
    for r in range(1, int(trace.rounds[q])):
      parents = trace.parent[q, r]
      kept = trace.kept[q, r - 1]
      assert kept[parents[parents >= 0]].all()
      full = (trace.end[q, r - 1] == 14) & ~trace.finished[q, r - 1]
      cut = (trace.parent[q, r - 1] >= 0) & ~kept & ~full
      if cut.any():
        score = trace.score[q, r - 1]
        assert score[cut].max() <= score[kept].min()
        compared += 1
  assert compared > 10


def test_5_questions_do_not_share_a_pool():
  company = decode_oracle.requests(6, search_models.VOCABULARY, seed=9)
  found = search_models.search(BEAM, [*company[:4], *REQUESTS[:2]])[0]
  for q in range(2):
    search_models.assert_same(
      search_models.at(_run(BEAM), q), search_models.at(found, 4 + q)
    )


def test_6_the_limit_is_of_a_solution_and_cut_ones_do_not_vote():
  result = _run(SHORT)
  length, finished = result.candidates.length, result.candidates.finished
  capped = (length == 5) & ~finished
  assert capped.any()
  assert (length <= 5).all()
  assert (result.step_count > 1).any()
  assert not result.valid[capped].any()
  np.testing.assert_array_equal(result.valid, finished)
  ends = np.take_along_axis(
    result.candidates.tokens, np.maximum(length - 1, 0)[..., None], axis=-1
  )[..., 0]
  np.testing.assert_array_equal(finished, (ends == 0) & (length > 0))


def test_9_width_is_the_branching_factor():
  trace = _run(BEAM).trace
  children = np.bincount(trace.parent[0, 1], minlength=16)
  assert trace.kept[0, 0].sum() == 16 // 4
  assert set(children[trace.kept[0, 0]]) <= {1, 4, 5}
  assert children.sum() == 16


def test_17_no_two_rows_of_a_question_use_the_same_draws():
  trace = _run(BEAM).trace
  # The first round is that of 16 samples, few of which agree.
  first = np.where(
    np.arange(14) < trace.end[:, 0, :, None], trace.tokens[:, 0], -1
  )
  assert np.mean([len(np.unique(rows, axis=0)) for rows in first]) > 12
  # Copies of one parent part ways at once, in most cases.
  same = pairs = 0
  for q in range(len(REQUESTS)):
    parents = trace.parent[q, 1]
    start = trace.end[q, 0]
    for parent in np.flatnonzero(np.bincount(parents[parents >= 0]) > 1):
      family = np.flatnonzero(parents == parent)
      drawn = [int(trace.tokens[q, 1, i, start[parent]]) for i in family]
      pairs += len(drawn) - 1
      same += sum(token == drawn[0] for token in drawn[1:])
  assert pairs > 20
  assert same < 0.5 * pairs


def test_18_lookahead_and_the_verifiers_reading_are_in_the_ledger():
  assert AHEAD.strategy.generations == 8 * 4
  result, usage = search_models.search(AHEAD, REQUESTS)
  cost = result.cost
  assert (cost.lookahead > 0).all()
  assert usage.row_steps == (cost.generated + cost.lookahead).sum()
  # This verifier has a backbone of its own, that of BEAM has not.
  np.testing.assert_array_equal(
    cost.scored, cost.prefilled + cost.generated + cost.lookahead
  )
  assert not _run(BEAM).cost.scored.any()
