"""Search with a transformer: nothing read twice, nothing copied in vain."""

import dataclasses

import decode_oracle
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import search_models

from tts_jax.decode import sampling
from tts_jax.model import config, table, transformer
from tts_jax.search import loop, state, strategies

LM = transformer.Transformer(
  config.TransformerConfig(
    vocabulary=search_models.VOCABULARY,
    width=32,
    layers=2,
    heads=4,
    kv_heads=2,
    head_width=8,
    mlp_width=64,
    max_positions=8192,
  )
)
# Drawn parameters are near 0 and would make all distributions flat.
PARAMS = jax.tree.map(lambda leaf: 4 * leaf, LM.init(jax.random.key(0)))
REQUESTS = decode_oracle.requests(4, search_models.VOCABULARY)
T = 24


@dataclasses.dataclass(frozen=True)
class Counted(transformer.Transformer):
  """A transformer that notes which of its passes are traced."""

  passes: list = dataclasses.field(default_factory=list, compare=False)

  def init(self, key):
    return PARAMS

  def forward(self, *arguments, **keywords):
    raise AssertionError("whole sequences are read again")

  def prefill(self, *arguments):
    self.passes.append("prefill")
    return super().prefill(*arguments)

  def decode(self, *arguments):
    self.passes.append("decode")
    return super().decode(*arguments)


def _search(strategy):
  lm = Counted(LM.config)
  setup = search_models.make(
    strategy,
    lm=lm,
    max_tokens=T,
    sampler=sampling.Categorical(temperature=0.8),
  )
  return setup, *search_models.search(setup, REQUESTS)


@pytest.fixture(scope="module")
def beam():
  return _search(strategies.Beam(16, 4))


@pytest.fixture(scope="module")
def ahead():
  return _search(strategies.Lookahead(8, 4, 1))


@pytest.mark.parametrize("name", ["beam", "ahead"])
def test_copied_and_restored_rows_read_what_a_fresh_reading_does(name, request):
  _, result, _ = request.getfixturevalue(name)
  forward = jax.jit(LM.forward)
  copied = 0
  for q, asked in enumerate(REQUESTS):
    tokens = np.zeros((result.valid.shape[1], 8 + T), np.int32)
    start = len(asked.tokens)
    tokens[:, :start] = asked.tokens
    tokens[:, start : start + T] = result.candidates.tokens[q]
    logprob = np.asarray(jax.nn.log_softmax(forward(PARAMS, tokens).logits))
    for i, length in enumerate(result.candidates.length[q]):
      at = np.arange(length)
      drawn = result.candidates.tokens[q, i, :length]
      np.testing.assert_allclose(
        result.candidates.token_logprob[q, i, :length],
        logprob[i, start - 1 + at, drawn],
        atol=2e-5,
      )
    rounds = int(result.trace.rounds[q])
    parents = result.trace.parent[q, :rounds]
    copied += (parents != np.arange(parents.shape[1])).sum()
  assert copied > 30


def test_tokens_put_through_the_model_per_token_generated(
  beam, record_property
):
  setup, result, usage = beam
  # One pass a step of the loop and one over each prompt; no other is traced.
  assert setup.lm.passes == ["prefill", "decode"]
  generated = int(result.cost.generated.sum())
  assert not result.cost.lookahead.any()
  assert not result.cost.scored.any()
  assert usage.row_steps / generated <= 1.1
  with_prompts = usage.row_steps + int(result.cost.prefilled.sum())
  record_property("per_token", float(usage.row_steps / generated))
  record_property("per_token_with_prompts", float(with_prompts / generated))
  # Rows that wait are carried along in the passes: told here, not hidden.
  slots = int(usage.steps) * result.valid.size
  assert slots > generated
  record_property("utilisation", float(generated / slots))


def test_no_layer_of_the_cache_is_copied_in_the_loop():
  # All that a beam search does, and rolling back besides.
  strategy = strategies.Lookahead(8, 4, 2)
  verifier = table.TableVerifier(search_models.VERIFIER.table)
  setup = search_models.make(
    strategy, lm=LM, verifier=verifier, max_tokens=4096, trace=False
  )
  weights = jax.eval_shape(lambda: search_models.weights(setup))
  start = jax.eval_shape(
    lambda: state.init_state(weights, setup=setup, groups=2, prompt_tokens=8)
  )

  def chunk(weights, start, key):
    return loop.search_chunk(weights, start, key, setup=setup, steps=64)

  compiled = jax.jit(chunk, donate_argnums=1).lower(
    weights, start, search_models.KEY
  )
  memory = compiled.compile().memory_analysis()
  layer = start.caches[0].keys[0].size * jnp.dtype("float32").itemsize
  assert memory.temp_size_in_bytes < 0.75 * layer
  # Donated: what comes out stands where it came in.
  rows = sum(leaf.size * 4 for leaf in jax.tree.leaves(start.caches))
  assert memory.alias_size_in_bytes >= rows
