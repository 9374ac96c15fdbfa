"""Whole searches over table models, against the oracle in plain lists."""

import decode_oracle
import numpy as np
import pytest
import search_models
import search_oracle

from tts_jax.decode import loop
from tts_jax.search import strategies

TWO_ENDS = loop.Limits(max_tokens=14, end_token=(search_models.END, 5))

REQUESTS = decode_oracle.requests(6, search_models.VOCABULARY)

SETUPS = {
  "best of 5": (strategies.BestOfN(5), {}),
  "beam 4, 2": (strategies.Beam(4, 2), {}),
  "beam 16, 4": (strategies.Beam(16, 4), {"step_tokens": 5}),
  "beam 6, 6": (strategies.Beam(6, 6), {}),
  "beam in 3 rounds": (strategies.Beam(8, 2, max_rounds=3), {}),
  "short beam": (strategies.Beam(8, 2), {"max_tokens": 5}),
  "dvts 12, 4": (strategies.DiverseBeam(12, 4), {}),
  "lookahead 1": (strategies.Lookahead(8, 4, 1), {}),
  "lookahead 3": (
    strategies.Lookahead(8, 2, 3),
    {"step_tokens": 3, "verifier": search_models.READER},
  ),
  "blank lines": (
    strategies.Beam(8, 2),
    {"delimiters": search_models.BLANK_LINES},
  ),
  "lookahead, blank lines": (
    strategies.Lookahead(8, 2, 2),
    {"delimiters": search_models.BLANK_LINES, "step_tokens": 7},
  ),
  "two end tokens": (strategies.Beam(8, 2), {"limits": TWO_ENDS}),
  "lookahead, two end tokens": (
    strategies.Lookahead(8, 2, 2),
    {"limits": TWO_ENDS},
  ),
}


WITH_EMPTY_ROWS = {"beam 16, 4", "beam 4, 2", "dvts 12, 4"}
WITH_FULL_ROWS = {"short beam", "best of 5"}


@pytest.mark.parametrize("name", SETUPS)
def test_equals_the_oracle(name):
  strategy, fields = SETUPS[name]
  setup = search_models.make(strategy, **fields)
  result, usage = search_models.search(setup, REQUESTS)
  row_steps = empty = 0
  for q, request in enumerate(REQUESTS):
    oracle = search_oracle.Search(setup, request, search_models.KEY)
    rows = oracle.run()
    found = search_models.at(result, q)
    for i, row in enumerate(rows):
      tokens = row.tokens if row.alive else []
      empty += not row.alive
      steps = len(row.ends) if row.alive else 0
      assert found.candidates.length[i] == len(tokens)
      padded = np.zeros(setup.limits.max_tokens)
      padded[: len(tokens)] = tokens
      np.testing.assert_array_equal(found.candidates.tokens[i], padded)
      np.testing.assert_allclose(
        found.candidates.token_logprob[i, : len(tokens)],
        row.logprobs[: len(tokens)],
        atol=2e-6,
      )
      assert not found.candidates.token_logprob[i, len(tokens) :].any()
      assert found.step_count[i] == steps
      assert found.step_end[i, :steps].tolist() == row.ends[:steps]
      assert found.step_score[i, :steps].tolist() == row.scores[:steps]
      assert not found.step_score[i, steps:].any()
      ended = bool(tokens) and tokens[-1] in setup.limits.end_tokens
      assert found.candidates.finished[i] == found.valid[i] == ended
    chosen = len(oracle.parents)
    np.testing.assert_array_equal(
      found.trace.parent[1 : chosen + 1],
      np.reshape(oracle.parents, (chosen, setup.rounds.n)),
    )
    for r, scores in enumerate(oracle.scores):
      alive = found.trace.parent[r] >= 0
      np.testing.assert_array_equal(
        found.trace.score[r][alive], np.asarray(scores)[alive]
      )
    assert found.cost.generated == oracle.generated
    assert found.cost.pruned == oracle.pruned
    assert found.cost.lookahead == oracle.ahead
    assert found.cost.prefilled == len(request.tokens) - 1
    read = oracle.generated + oracle.ahead
    row_steps += read
    read += found.cost.prefilled
    assert found.cost.scored == read * setup.verifier.reads_tokens
  assert usage.row_steps == row_steps
  # What is rare is met where it is asked for, or this shows too little.
  length, finished = result.candidates.length, result.candidates.finished
  full = (length == setup.limits.max_tokens) & ~finished
  assert finished.any()
  assert empty or name not in WITH_EMPTY_ROWS
  assert full.any() or name not in WITH_FULL_ROWS
