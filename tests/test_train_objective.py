"""The verifier's losses against loops of numpy, and what each regime trains."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny_verifier

from tts_jax import errors
from tts_jax.model import head, transformer
from tts_jax.train import objective
from tts_jax.train import step as step_lib
from tts_jax.verify import reward, scoring, solutions

_V, _D, _DELIMITER = tiny_verifier.V, tiny_verifier.D, tiny_verifier.DELIMITER
_LM, _HEAD = tiny_verifier.LM, tiny_verifier.PREDICTS
_SHARED = reward.RewardModel(_HEAD)
_GOALS = {
  "frozen": objective.Objective(lm=_LM, verifier=_SHARED, opinion_weight=0.5),
  "joint": objective.Objective(
    lm=_LM, verifier=_SHARED, language_weight=0.7, opinion_weight=0.5
  ),
  "separate": objective.Objective(
    lm=_LM, verifier=reward.RewardModel(_HEAD, _LM), opinion_weight=0.5
  ),
  "branch": objective.Objective(
    lm=_LM,
    verifier=reward.RewardModel(tiny_verifier.BRANCHES),
    opinion_weight=0.5,
  ),
  "labels alone": objective.Objective(lm=_LM, verifier=_SHARED),
}
_REGIMES = ("frozen", "branch", "joint", "separate")


def _solution(rng, size, ends, labels=None, worked=False):
  tokens = rng.integers(1, _V, size)
  tokens[np.array(ends[:-1], int) - 1] = _DELIMITER
  return solutions.Solution(
    tokens=tokens, step_end=ends, labels=labels, worked=worked
  )


@pytest.fixture(scope="module", name="batch")
def fixture_batch():
  rng = np.random.default_rng(0)
  questions = [
    (
      [4, 5, 6],
      [
        _solution(rng, 6, [2, 6], [0.25, 1.0]),
        _solution(rng, 4, [3, 4], [0.0, 0.0]),
      ],
    ),
    ([7, 8], [_solution(rng, 5, [3, 5], worked=True)]),
    ([9, 1, 2, 4], [_solution(rng, 7, [7], [0.5])]),
  ]
  [(batch, _)] = solutions.packed(questions, rows=2, length=20)
  return batch


def _draw(shapes, seed=0):
  rng = np.random.default_rng(seed)
  return jax.tree.map(
    lambda leaf: jnp.asarray(rng.normal(0, 0.4, leaf.shape), jnp.float32),
    shapes,
  )


def _params(goal):
  def init():
    return goal.init(jax.random.key(0), _LM.init(jax.random.key(1)))

  return _draw(jax.eval_shape(init))


@functools.cache
def _compiled(name):
  """(reading and log-probabilities, loss and gradient, validation) at once."""
  goal = _GOALS[name]

  def all_of_it(params, batch):
    return (
      scoring.read(params, batch, goal.lm, goal.verifier),
      jax.value_and_grad(goal, has_aux=True)(params, batch),
      goal.validate(params, batch),
    )

  return jax.jit(all_of_it)


def _read(name, params, batch):
  return _compiled(name)(params, batch)[0]


def _gradient(name, params, batch):
  return _compiled(name)(params, batch)[1][1]


@pytest.mark.parametrize("name", _GOALS)
def test_the_loss_is_that_of_plain_loops(name, batch):
  goal, params = _GOALS[name], _params(_GOALS[name])
  (reading, logprob), ((total, found), _), valid = _compiled(name)(
    params, batch
  )
  steps = weight = worked = language = opinion = 0.0
  for row, column in np.ndindex(2, 20):
    at = row, column
    if batch.weights[at]:
      chance = 1 / (1 + np.exp(-float(reading.logit[at])))
      label = float(batch.labels[at])
      steps -= label * np.log(chance) + (1 - label) * np.log(1 - chance)
      weight += 1
    if batch.worked[at]:
      language -= float(logprob[at])
      opinion -= float(reading.opinion[at])
      worked += 1
  assert (weight, worked) == (5, 5)
  a, b = goal.language_weight, goal.opinion_weight
  want = steps + a * language + b * opinion
  assert float(total) == pytest.approx(want, rel=1e-4)
  assert float(found) == pytest.approx(weight + (a + b) * worked)

  # What stops training knows the steps alone.
  value, count = valid
  assert float(value) == pytest.approx(steps, rel=1e-4)
  assert float(count) == weight


def test_the_generators_log_probabilities_are_its_own(batch):
  params = _params(_GOALS["frozen"])
  _, logprob = _read("frozen", params, batch)
  whole = jax.jit(_LM.forward)
  for row, segment in ((0, 2), (0, 3), (0, 5)):
    mine = batch.segments[row] == segment
    seen = mine | (batch.segments[row] == batch.parents[row][mine][0])
    # Of a sequence of its own, on the right of which nothing is seen.
    tokens = np.zeros((1, 20), np.int32)
    tokens[0, : seen.sum()] = batch.tokens[row, seen]
    logits = np.asarray(whole(params["model"], tokens).logits, np.float64)[0]
    every = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    want = every[np.arange(seen.sum()), batch.drawn[row, seen]]
    np.testing.assert_allclose(
      np.asarray(logprob)[row, mine], want[-mine.sum() :], rtol=1e-4, atol=1e-4
    )


def _model():
  return _draw(jax.eval_shape(_LM.init, jax.random.key(1)))


@pytest.mark.parametrize("name", ["frozen", "branch", "separate"])
def test_an_opinion_begins_as_the_generators(name, batch):
  params = jax.jit(_GOALS[name].init)(jax.random.key(0), _model())
  reading, logprob = _read(name, params, batch)
  np.testing.assert_allclose(reading.opinion, logprob, rtol=1e-5, atol=1e-6)
  params["head"]["prediction"]["kernel"] += 0.3 * np.eye(_D, _V)
  reading, logprob = _read(name, params, batch)
  assert np.abs(reading.opinion - logprob).max() > 1e-2


def _norms(tree):
  return {
    name: max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(part))
    for name, part in tree.items()
  }


@pytest.mark.parametrize("name", _REGIMES)
def test_the_gradient_reaches_what_the_regime_trains(name, batch):
  params = _params(_GOALS[name])
  gradient = _gradient(name, params, batch)
  norms = _norms(gradient)
  assert norms.pop("model") == 0 if name != "joint" else norms["model"] > 1e-3
  assert set(norms) - {"model"} == set(params) - {"model"}
  assert all(norm > 1e-3 for norm in norms.values()), norms


def test_an_opinion_is_learned_from_worked_tokens_alone(batch):
  params = _params(_GOALS["frozen"])

  def prediction(name, batch):
    gradient = _gradient(name, params, batch)
    return float(jnp.abs(gradient["head"]["prediction"]["kernel"]).max())

  none = batch.replace(worked=np.zeros_like(batch.worked))
  assert prediction("frozen", batch) > 1e-3
  assert prediction("frozen", none) == 0
  assert prediction("labels alone", batch) == 0


@pytest.mark.parametrize("name", _REGIMES)
def test_a_step_changes_what_the_regime_trains(name, batch):
  goal, params = _GOALS[name], _params(_GOALS[name])
  optimizer = step_lib.Optimizer(
    learning_rate=1e-2, steps=9, warmup=0, frozen=goal.frozen
  )
  state = step_lib.begin(jax.random.key(2), params, optimizer)
  step = functools.partial(step_lib.train_step, loss=goal, optimizer=optimizer)
  after, _ = jax.jit(step)(state, batch)
  moved = _norms(jax.tree.map(jnp.subtract, after.params, params))
  assert (moved.pop("model") == 0) == (name != "joint")
  assert all(size > 0 for size in moved.values())


def test_a_second_backbone_starts_as_a_copy_of_the_model():
  model = _model()
  params = _GOALS["separate"].init(jax.random.key(0), model)
  assert set(params) == {"model", "head", "backbone"}
  jax.tree.map(np.testing.assert_array_equal, params["backbone"], model)
  # Donated both, they may not be one buffer.
  for one, two in zip(
    jax.tree.leaves(params["backbone"]), jax.tree.leaves(model), strict=True
  ):
    assert one.unsafe_buffer_pointer() != two.unsafe_buffer_pointer()


def test_a_second_backbone_has_as_many_blocks_as_the_head_reads():
  lm = transformer.Transformer(dataclasses.replace(_LM.config, layers=2))
  model = lm.init(jax.random.key(1))
  branch = dataclasses.replace(tiny_verifier.PREDICTS, tap=1)
  goal = objective.Objective(lm=lm, verifier=reward.RewardModel(branch, _LM))
  own = goal.init(jax.random.key(0), model)["backbone"]
  assert set(own) == set(model) - {"layer_1"}
  want = {name: model[name] for name in own}
  jax.tree.map(np.testing.assert_array_equal, own, want)


@pytest.mark.parametrize(
  ("fields", "message"),
  [
    (dict(language_weight=-1.0), "language_weight is -1.0"),
    (dict(opinion_weight=-0.5), "opinion_weight is -0.5"),
    (
      dict(language_weight=1.0, verifier=_GOALS["separate"].verifier),
      "only a shared backbone is trained jointly",
    ),
    (
      dict(
        opinion_weight=1.0,
        verifier=reward.RewardModel(
          head.HeadConfig(
            input_width=_D,
            vocabulary=_V,
            width=4,
            token_width=4,
            mlp_width=4,
            delimiters=(_DELIMITER,),
          )
        ),
      ),
      "the head does not predict; set head.predicts",
    ),
  ],
)
def test_weights_that_make_no_sense_are_refused(fields, message):
  with pytest.raises(errors.InputError, match=message):
    objective.Objective(**{"lm": _LM, "verifier": _SHARED, **fields})
