"""Training of difficulty heads, on questions whose pass@1 is known."""

import functools
import itertools

import jax
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.decode import stream
from tts_jax.train import difficulty, loop
from tts_jax.train import step as step_lib
from tts_jax.verify import difficulty_head

_D = 4
_SCHEDULE = loop.Schedule(steps=400, validate_every=20, patience=5)


def _examples(questions, seed, *, noise=0.0):
  """pass@1 is a logistic function of two features, or of none with noise."""
  rng = np.random.default_rng(seed)
  features = rng.normal(3, 2, (questions, 2 * _D)).astype(np.float32)
  logit = features[:, 1] - features[:, 5]
  if noise:
    logit = rng.normal(0, noise, questions)
  samples = rng.integers(20, 60, questions)
  correct = rng.binomial(samples, 1 / (1 + np.exp(-logit)))
  return difficulty.Examples(
    features=features,
    correct=correct.astype(np.float32),
    samples=samples.astype(np.float32),
  )


def _train(
  folder, train, held_out, *, width=0, seed=0, schedule=_SCHEDULE, rate=0.05
):
  head = difficulty_head.DifficultyHead(_D, width=width)
  optimizer = step_lib.Optimizer(
    learning_rate=rate,
    steps=schedule.steps,
    warmup=5,
    frozen=difficulty.FROZEN,
  )
  loss = difficulty.Loss(head)
  step = functools.partial(step_lib.train_step, loss=loss, optimizer=optimizer)
  drawn, kept = jax.random.split(jax.random.key(seed))
  start = difficulty_head.standardised(head.init(drawn), train.features)
  lines = []
  state, reached = loop.run(
    step_lib.begin(kept, start, optimizer),
    difficulty.batches(train, rows=64, seed=seed),
    [held_out],
    folder,
    step=jax.jit(step, donate_argnums=0),
    loss=jax.jit(loss),
    schedule=schedule,
    report=lines.append,
  )
  return head, state.params, reached, lines


@pytest.mark.parametrize("width", [0, 8])
def test_training_nears_the_loss_of_the_truth(tmp_path, width):
  train, held_out = _examples(600, 0), _examples(200, 1)
  head, params, reached, _ = _train(tmp_path, train, held_out, width=width)
  share = held_out.correct / held_out.samples
  logit = held_out.features[:, 1] - held_out.features[:, 5]
  nats = np.logaddexp(0, logit) - share * logit
  truth = np.average(nats, weights=held_out.samples)
  constant = difficulty.constant_loss(train, held_out)
  assert truth - 1e-3 < reached["best_loss"] < truth + 0.02
  assert reached["best_loss"] < constant - 0.1
  total, weight = difficulty.Loss(head)(params, held_out)
  assert total / weight == pytest.approx(reached["best_loss"], rel=1e-5)
  # The features' mean and scale are not trained.
  np.testing.assert_allclose(
    params["standard"]["mean"], train.features.mean(0), atol=1e-5
  )


def test_the_loss_is_that_of_every_sample():
  head = difficulty_head.DifficultyHead(_D, width=0)
  one = _examples(3, 2)
  params = head.init(jax.random.key(0))
  params["head"]["logit"]["kernel"] += 0.1
  expected, logits = 0.0, np.asarray(head.logit(params, one.features))
  for logit, right, all_ in zip(logits, one.correct, one.samples, strict=True):
    for sample in range(int(all_)):
      chance = 1 / (1 + np.exp(-logit))
      expected -= np.log(chance if sample < right else 1 - chance)
  total, weight = difficulty.Loss(head)(params, one)
  np.testing.assert_allclose(total, expected, rtol=1e-5)
  assert weight == one.samples.sum()


def test_training_stops_where_the_held_out_loss_turns(tmp_path):
  # With nothing to learn, a wide head learns the training questions by heart.
  schedule = loop.Schedule(steps=4000, validate_every=20, patience=3)
  train, held_out = _examples(64, 3, noise=2.0), _examples(64, 4, noise=2.0)
  _, _, reached, lines = _train(
    tmp_path, train, held_out, width=32, schedule=schedule, rate=0.02
  )
  assert reached["step"] == reached["best_step"] + 3 * 20 < 4000
  said = [float(x.split()[-1]) for x in lines if "validation" in x]
  assert len(said) == reached["step"] // 20
  assert min(said) == pytest.approx(reached["best_loss"], abs=1e-4)
  assert said[-1] > min(said)


def test_training_depends_on_the_seed_alone(tmp_path):
  train, held_out = _examples(200, 5), _examples(100, 6)
  short = loop.Schedule(steps=30, validate_every=10)
  one, again, other = (
    _train(
      tmp_path / str(turn), train, held_out, width=4, seed=seed, schedule=short
    )[1]
    for turn, seed in enumerate((0, 0, 1))
  )
  jax.tree.map(np.testing.assert_array_equal, one, again)
  kernels = [each["head"]["hidden"]["kernel"] for each in (one, other)]
  assert (kernels[0] != kernels[1]).any()


def test_every_question_comes_once_an_epoch():
  train = _examples(10, 7)
  from_number = difficulty.batches(train, rows=5, seed=0)
  stream_ = from_number(0)
  orders = []
  for epoch in range(2):
    numbers, drawn = zip(*itertools.islice(stream_, 2), strict=True)
    assert numbers == (2 * epoch + 1, 2 * epoch + 2)
    seen = np.concatenate([one.features[:, 0] for one in drawn])
    np.testing.assert_array_equal(np.sort(seen), np.sort(train.features[:, 0]))
    orders.append(seen)
  assert (orders[0] != orders[1]).any()
  # Taken up in the middle, it goes on alike.
  number, batch = next(from_number(3))
  assert number == 4
  np.testing.assert_array_equal(batch.features[:, 0], orders[1][5:])


@pytest.mark.parametrize("rows", [0, 11])
def test_more_rows_than_questions_are_refused(rows):
  with pytest.raises(errors.InputError, match=f"rows is {rows}.* 10 questions"):
    difficulty.batches(_examples(10, 8), rows=rows, seed=0)


def test_a_loss_that_is_no_number_is_refused(tmp_path):
  held_out = _examples(20, 9)
  held_out.features[3] = np.nan
  with pytest.raises(
    errors.InputError, match="validation loss is nan at step 20"
  ):
    _train(tmp_path, _examples(100, 10), held_out)


def _verdicts(*prompts):
  requests = [
    stream.Request(id=f"q{tokens}", uid=1, tokens=tokens) for tokens in prompts
  ]
  ones = np.ones(len(prompts), np.float32)
  return difficulty.Verdicts(
    requests=tuple(requests), correct=ones, samples=4 * ones
  )


def test_pools_are_joined_and_no_question_is_shared():
  whole = difficulty.joined([_verdicts([1], [2]), _verdicts([3])])
  assert [one.tokens for one in whole.requests] == [[1], [2], [3]]
  found = whole.examples(lambda all_: np.array([one.tokens for one in all_]))
  np.testing.assert_array_equal(found.features, [[1], [2], [3]])
  np.testing.assert_array_equal(found.samples, [4, 4, 4])
  difficulty.check_disjoint(whole, _verdicts([4]))
  with pytest.raises(errors.InputError, match=r"'q\[3\]' is training question"):
    difficulty.check_disjoint(whole, _verdicts([4], [3]))
  with pytest.raises(errors.InputError, match="pools is empty"):
    difficulty.joined([])


def test_what_a_constant_loses():
  train, held_out = _verdicts([1]), _verdicts([2])
  read = functools.partial(np.zeros, (1, 1))
  expected = -0.25 * np.log(0.25) - 0.75 * np.log(0.75)
  both = [one.examples(lambda _: read()) for one in (train, held_out)]
  assert difficulty.constant_loss(*both) == pytest.approx(expected)
