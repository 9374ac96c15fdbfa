"""What must be the same, bit for bit, whichever way it is searched."""

import decode_oracle
import jax
import numpy as np
import pytest
import search_models

from tts_jax.search import loop, methods, state, strategies

REQUESTS = decode_oracle.requests(6, search_models.VOCABULARY)


def _bits(result):
  """All but the trace and what is sized by the number of rounds."""
  return result.candidates, result.step_count, result.valid, result.cost


def test_width_1_is_best_of_n_is_sampling():
  best = search_models.make(strategies.BestOfN(5))
  of_n = search_models.search(best, REQUESTS)[0]
  beam = search_models.search(
    search_models.make(strategies.Beam(5, 1)), REQUESTS
  )[0]
  search_models.assert_same(_bits(of_n), _bits(beam))
  assert not of_n.cost.pruned.any()
  samples = decode_oracle.engine(
    search_models.LM,
    search_models.weights(best).lm,
    sampler=best.sampler,
    limits=best.limits,
    groups=2,
    rows=5,
    room=5,
  )
  found = decode_oracle.by_id(samples(REQUESTS, search_models.KEY, 5))
  for q, request in enumerate(REQUESTS):
    search_models.assert_same(
      search_models.at(of_n.candidates, q), found[request.id].candidates
    )
  assert 0 < of_n.valid.sum() < of_n.valid.size


def test_depth_0_is_beam_search_and_traces_no_lookahead():
  # The same program, to the letter, and so the same bits.
  prompts = search_models.prompts(REQUESTS)

  def program(strategy):
    setup = search_models.make(strategy)

    def run(weights, prompts, key):
      question = state.read(weights, prompts, setup=setup)
      start = state.begin(question, setup=setup)
      return loop.search_to_end(weights, start, key, setup=setup)

    arguments = search_models.weights(setup), prompts, search_models.KEY
    return jax.jit(run).lower(*arguments).as_text()

  beam = program(strategies.Beam(6, 6))
  assert beam == program(strategies.Lookahead(6, 6, 0))
  # So is DVTS of one tree beam search.
  assert beam == program(strategies.DiverseBeam(6, 6))
  assert beam != program(strategies.Lookahead(6, 6, 1))
  assert beam != program(strategies.DiverseBeam(6, 3))


def test_nothing_is_drawn_twice_and_other_keys_draw_otherwise():
  setup = search_models.make(strategies.Beam(4, 2))
  one = search_models.search(setup, REQUESTS)[0]
  other = search_models.search(setup, REQUESTS, jax.random.key(8))[0]
  assert (one.candidates.tokens != other.candidates.tokens).any((1, 2)).all()


def test_without_a_finished_solution_nothing_is_valid():
  table = np.array(search_models.TABLE, np.float32)
  table[:, search_models.END] = -1e9
  for strategy in (strategies.Beam(4, 2), strategies.Beam(8, 2, max_rounds=3)):
    setup = search_models.make(strategy)
    endless = search_models.weights(setup).replace(lm={"table": table})
    result = search_models.search(setup, REQUESTS, weights_=endless)[0]
    assert not result.valid.any()
    assert not result.candidates.finished.any()
    assert (result.candidates.length > 0).all()
    assert np.isfinite(result.step_score).all()
  # Some were given up after three rounds, not because they were full.
  length = result.candidates.length
  assert (result.step_count[length < 14] == 3).all()
  assert (length < 14).any()


@pytest.mark.parametrize(
  ("method", "sizes", "strategy"),
  [
    (methods.best_of_n, {"n": 5}, strategies.BestOfN(5)),
    (methods.beam_search, {"n": 4, "width": 2}, strategies.Beam(4, 2)),
    (
      methods.beam_search,
      {"n": 8, "width": 2, "rounds": 3},
      strategies.Beam(8, 2, max_rounds=3),
    ),
    (
      methods.lookahead_search,
      {"n": 8, "width": 4, "depth": 1},
      strategies.Lookahead(8, 4, 1),
    ),
    (methods.dvts, {"n": 12, "width": 4}, strategies.DiverseBeam(12, 4)),
  ],
)
def test_methods_are_thin(monkeypatch, method, sizes, strategy):
  """Each hands on what it was given, and its strategy."""
  given = []

  def search(*arguments, **keywords):
    given.append((arguments, keywords))
    return "result", "usage"

  monkeypatch.setattr(methods, "search", search)
  found = method("params", "lm", "prompts", "key", sampler="s", **sizes)
  assert found == "result"
  assert given == [
    (
      ("params", "lm", "prompts", "key"),
      {"strategy": strategy, "sampler": "s"},
    )
  ]
