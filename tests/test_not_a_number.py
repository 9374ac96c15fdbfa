"""NaN in logits, scores and losses: named, and nothing is chosen by it."""

import itertools

import decode_oracle
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import search_models
import test_decode_loop as decoding
import test_train_loop as training

from tts_jax import errors
from tts_jax.decode import sampling
from tts_jax.search import strategies
from tts_jax.train import loop
from tts_jax.verify import choosing

_BAD = 9  # the token behind which everything is NaN.


def _requests(bad_last):
  """Four questions, of which the last begins behind the bad token."""
  made = [
    decode_oracle.stream.Request(id=f"q{n}", uid=n, tokens=[1, 2 + n])
    for n in range(3)
  ]
  tokens = [1, _BAD] if bad_last else [1, 5]
  return [*made, decode_oracle.stream.Request(id="bad", uid=7, tokens=tokens)]


def _without(entries):
  """Logits by which the bad token is never drawn."""
  found = np.array(entries, np.float32)
  found[:, _BAD] = -1e9
  return found


@pytest.mark.parametrize(
  ("sampler", "where"),
  [
    (sampling.Greedy(), slice(None)),
    (sampling.Categorical(), 3),
    (sampling.Categorical(temperature=0.7, top_p=0.9), 3),
  ],
)
def test_logits_of_a_sample(sampler, where):
  table = _without(decoding.TABLE)
  table[_BAD, where] = np.nan
  run = decode_oracle.engine(
    decoding.LM,
    {"table": jnp.asarray(table)},
    sampler=sampler,
    limits=decoding.LIMITS,
    groups=1,
    rows=2,
    room=2,
  )
  found = []
  with pytest.raises(
    errors.InputError, match=r"question bad: .* token 0 of sample 0 is NaN; "
  ):
    found.extend(run(_requests(bad_last=True), decoding.KEY, 2))
  # What was done before is there.
  assert [one.request.id for one in found] == ["q0", "q1", "q2"]
  assert len(list(run(_requests(bad_last=False), decoding.KEY, 2))) == 4


@pytest.mark.parametrize(
  ("strategy", "broken"),
  [
    (strategies.Beam(4, 2), "model"),
    (strategies.Beam(4, 2), "verifier"),
    (strategies.Lookahead(4, 2, 1), "verifier"),
  ],
)
def test_a_search_in_which_one_candidate_had_it(broken, strategy):
  # The one that had it is cut at once, behind all that have a score.
  setup = search_models.make(strategy)
  params = search_models.weights(setup)
  tables = {
    "model": np.array(search_models.TABLE, np.float32),
    "verifier": np.array(search_models.ENTRIES, np.float32),
  }
  run = search_models.engine(setup, groups=1)
  requests = decode_oracle.requests(6, search_models.VOCABULARY)
  whole = run(requests)
  # A token that is drawn in few searches.
  drawn = {
    id_: {*one.search.trace.tokens[: one.search.trace.rounds].ravel().tolist()}
    for id_, one in whole.items()
  }
  prompts = {one.id: {*one.tokens} for one in requests}
  rare = min(
    range(1, search_models.VOCABULARY),
    key=lambda token: (
      sum(token in found for found in drawn.values()) == 0,
      sum(token in found for found in drawn.values()),
    ),
  )
  for table in tables.values():
    if table is tables[broken]:
      table[rare, :] = np.nan
  params = params.replace(
    lm={"table": tables["model"]}, verifier={"table": tables["verifier"]}
  )
  said = {}
  for request in requests:
    try:
      found = run([request], params=params)[request.id].search
    except errors.InputError as error:
      said[request.id] = str(error)
    else:
      # It is the search that it would have been.
      search_models.assert_same(found, whole[request.id].search)
  assert said
  for id_, message in said.items():
    assert f"question {id_}: the verifier's score of a candidate" in message
    assert rare in drawn[id_] | prompts[id_]


def test_a_vote_is_nan_and_refused_by_name():
  answers = jnp.array([0, 1, 1])
  score = jnp.array([0.5, jnp.nan, 0.9])
  for choose in (choosing.best_of_n, choosing.best_of_n_weighted):
    assert np.isnan(choose(answers, score)).all()
  with pytest.raises(errors.InputError, match="question 'q1': NaN in 1 places"):
    choosing.check_scores(["q0", "q1"], np.array([[0.1], [np.nan]]))


@pytest.fixture(scope="module")
def compiled():
  return training.compiled.__wrapped__()


def test_a_loss_keeps_the_checkpoints_from_before(tmp_path, compiled):
  """The weights are broken between two lines of the log."""
  steps = itertools.count(1)

  def breaking(state, batch):
    state, values = compiled["step"](state, batch)
    if next(steps) >= 6:
      state = state.replace(
        params=jax.tree.map(lambda leaf: leaf * jnp.nan, state.params)
      )
    return state, values

  schedule = loop.Schedule(steps=8, log_every=50, validate_every=4, patience=9)
  with pytest.raises(
    errors.InputError, match="the validation loss is nan at step 8; lower"
  ):
    training._run(tmp_path, compiled, schedule, step=breaking)
  # It goes on from before.
  state, progress, said = training._run(tmp_path, compiled, schedule)
  assert said[0] == "resumed at step 4 of 8"
  assert progress["step"] == 8
  for leaf in jax.tree.leaves(state.params):
    assert np.isfinite(leaf).all()
