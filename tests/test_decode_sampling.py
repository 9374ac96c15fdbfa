"""Samplers against sorted and cumulated numpy, and at the ends of [0, 1]."""

import re

import decode_oracle
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.decode import sampling

LAST_BELOW_ONE = np.float32(1 - 2**-24)


@pytest.mark.parametrize("vocabulary", [1, 10, 1000])
@pytest.mark.parametrize(
  ("temperature", "top_p"),
  [(0.3, 1.0), (2.0, 1.0), (0.3, 0.95), (1.0, 0.7), (2.0, 0.05)],
)
def test_equals_the_oracle(vocabulary, temperature, top_p):
  random = np.random.default_rng(vocabulary)
  logits = 3 * random.normal(size=(4, 8, vocabulary)).astype(np.float32)
  uniform = random.random(size=(4, 8), dtype=np.float32)
  sampler = sampling.Categorical(temperature, top_p)
  tokens = jax.jit(sampler.sample)(logits, uniform)
  assert tokens.dtype == jnp.int32
  for at in np.ndindex(4, 8):
    expected = decode_oracle.token_of(
      logits[at], uniform[at], temperature, top_p
    )
    assert tokens[at] == expected


def test_frequencies_are_those_of_the_softmax():
  logits = np.array([0.0, 1.0, -1.0, 2.0, -3.0], np.float32)
  draws = 20000
  uniform = jax.random.uniform(jax.random.key(0), (draws,))
  tokens = jax.jit(sampling.Categorical(temperature=1.5).sample)(
    jnp.broadcast_to(logits, (draws, 5)), uniform
  )
  expected = np.exp(logits / 1.5) / np.exp(logits / 1.5).sum() * draws
  counts = np.bincount(tokens, minlength=5)
  # 18.47 is exceeded with probability 0.001 at 4 degrees of freedom.
  assert ((counts - expected) ** 2 / expected).sum() < 18.47


def test_top_p_takes_ties_at_the_threshold_whole():
  weight = np.array([0.4, 0.15, 0.15, 0.15, 0.1, 0.05], np.float32)
  uniform = np.linspace(0, 1, 501, dtype=np.float32)
  logits = jnp.broadcast_to(jnp.log(weight), (501, 6))
  tokens = jax.jit(sampling.Categorical(top_p=0.5).sample)(logits, uniform)
  assert set(tokens.tolist()) == {0, 1, 2, 3}


def test_temperature_0_is_greedy():
  assert sampling.make(0.0, 0.9) == sampling.Greedy()
  assert sampling.make(0.5, 0.9) == sampling.Categorical(0.5, 0.9)
  for settings in (dict(temperature=-1.0), dict(temperature=0.0, top_p=0.0)):
    with pytest.raises(errors.InputError, match="must be"):
      sampling.make(**settings)


def test_top_p_below_every_probability_is_greedy():
  logits = np.random.default_rng(0).normal(size=(64, 300)).astype(np.float32)
  uniform = np.linspace(0, 1, 64, dtype=np.float32)
  tokens = jax.jit(sampling.Categorical(top_p=1e-6).sample)(logits, uniform)
  np.testing.assert_array_equal(tokens, logits.argmax(-1))


@pytest.mark.parametrize("vocabulary", [2, 37, 400])
@pytest.mark.parametrize("top_p", [0.9, 1.0])
def test_no_uniform_selects_what_has_no_probability(vocabulary, top_p):
  random = np.random.default_rng(vocabulary)
  logits = 8 * random.normal(size=(512, vocabulary)).astype(np.float32)
  logits[random.random(logits.shape) < 0.6] = -np.inf
  logits[:, random.integers(vocabulary)] = 0.0
  sample = jax.jit(sampling.Categorical(top_p=top_p).sample)
  for uniform in (0.0, 2.0**-24, 0.5, LAST_BELOW_ONE, 1.0):
    tokens = sample(logits, np.full(512, uniform, np.float32))
    taken = np.take_along_axis(logits, np.asarray(tokens)[:, None], -1)
    assert np.isfinite(taken).all()


def test_cumulated_sums_that_fall_short_end_at_a_positive_weight():
  # In float32 the small weights vanish beside the 1: no cumulated sum exceeds
  # the goal, and the last block is empty.
  weight = np.full((1, 100), 1e-9, np.float32)
  weight[0, 0] = 1.0
  weight[0, 90:] = 0.0
  for uniform, block in ((0.5, 0), (LAST_BELOW_ONE, 0), (1.0, 8)):
    token = int(sampling.inverse_cdf(weight, np.float32([uniform]))[0])
    assert weight[0, token] > 0
    assert token // 10 == block


def test_sums_that_rise_where_there_is_no_weight_are_not_believed():
  # What a parallel scan may round to; the CPU's is serial and never does.
  cumulated = jnp.array([0.5, 0.50001, 0.49999, 1.0])
  weight = jnp.array([0.5, 0.0, 0.0, 0.5])
  for goal, index in ((0.49, 0), (0.500005, 3), (0.7, 3), (1.0, 3)):
    found = sampling._first_above(cumulated, weight, jnp.float32(goal))
    assert int(found) == index


def test_greedy_takes_the_first_of_the_best():
  logits = jnp.array([[0.0, 2.0, 2.0], [1.0, 0.0, -1.0]])
  tokens = sampling.Greedy().sample(logits, jnp.zeros(2))
  assert tokens.tolist() == [1, 0]


@pytest.mark.parametrize(
  "sampler",
  [
    sampling.Greedy(),
    sampling.Categorical(),
    sampling.Categorical(temperature=0.7, top_p=0.9),
  ],
)
def test_nothing_is_sorted(sampler):
  arguments = jnp.zeros((2, 1000)), jnp.zeros(2)
  lowered = jax.jit(sampler.sample).lower(*arguments)
  for text in (
    str(jax.make_jaxpr(sampler.sample)(*arguments)),
    lowered.compile().as_text(),
  ):
    # "indices_are_sorted" is an attribute of every gather.
    assert not re.search(r"\b(sort|top_k|topk|TopK)[\[(]", text)


@pytest.mark.parametrize(
  ("fields", "named"),
  [
    ({"temperature": 0.0}, "temperature is 0.0"),
    ({"temperature": -1.0}, "temperature is -1.0"),
    ({"temperature": float("nan")}, "temperature is nan"),
    ({"top_p": 0.0}, "top_p is 0.0"),
    ({"top_p": 1.5}, "top_p is 1.5"),
  ],
)
def test_a_wrong_field_is_named(fields, named):
  with pytest.raises(errors.InputError, match=named):
    sampling.Categorical(**fields)


def test_samplers_are_static_arguments():
  assert hash(sampling.Categorical(0.5, 0.9)) == hash(
    sampling.Categorical(0.5, 0.9)
  )
  assert sampling.Categorical() != sampling.Categorical(top_p=0.5)
