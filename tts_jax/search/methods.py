"""The searches of the paper by name, for a batch of questions.

Each is a thin call of `search`, which is pure: jit it whole, with everything
but `params`, `prompts`, `key` and `verifier_params` static. For more questions
than fit at once there is `stream.stream`.
"""

from typing import Any

import chex

from tts_jax import types
from tts_jax.decode import loop as decode_loop
from tts_jax.search import collect, loop, results, strategies
from tts_jax.search import setup as setups
from tts_jax.search import state as states


def search(
  params: types.Params,
  lm: types.LanguageModel,
  prompts: types.Prompts,
  key: chex.PRNGKey,
  *,
  verifier: types.Verifier,
  verifier_params: types.Params,
  strategy: strategies.Strategy,
  **settings: Any,
) -> tuple[results.SearchResult, decode_loop.Usage]:
  """Searches for solutions of Q questions side by side.

  Args:
    params: the model's.
    lm: draws.
    prompts: [Q, P].
    key: consumed; with a question's uid, a row's lineage and a token's index it
      makes the draws.
    verifier: scores.
    verifier_params: the verifier's.
    strategy: which search.
    **settings: the other fields of `setup.Setup`: sampler, limits, delimiters
      and, if wanted, step_tokens, aggregate and trace.

  Returns:
    The result; `results.check` it on the host, where NaN can be refused. The
    passes that were made, Q * N rows each.
  """
  setup = setups.Setup(lm=lm, verifier=verifier, strategy=strategy, **settings)
  weights = setups.Weights(lm=params, verifier=verifier_params)
  question = states.read(weights, prompts, setup=setup)
  state = states.begin(question, setup=setup)
  state, usage = loop.search_to_end(weights, state, key, setup=setup)
  found = collect.collect(state.question, state.progress, setup=setup)
  return found, usage


def best_of_n(
  params: types.Params,
  lm: types.LanguageModel,
  prompts: types.Prompts,
  key: chex.PRNGKey,
  *,
  n: int,
  **settings: Any,
) -> results.SearchResult:
  """N samples of each question; `settings` as of `search`."""
  strategy = strategies.BestOfN(n)
  return search(params, lm, prompts, key, strategy=strategy, **settings)[0]


def beam_search(
  params: types.Params,
  lm: types.LanguageModel,
  prompts: types.Prompts,
  key: chex.PRNGKey,
  *,
  n: int,
  width: int,
  rounds: int = strategies.MAX_ROUNDS,
  **settings: Any,
) -> results.SearchResult:
  """Beam search of N beams, M = `width`; `settings` as of `search`.

  Example:
    >>> import jax
    >>> from tts_jax import types
    >>> from tts_jax.decode import loop, sampling
    >>> from tts_jax.model import table
    >>> lm = table.TableModel(((0.0, 1.0, 1.0),) * 3)
    >>> verifier = table.TableVerifier(((0.0, 1.0, -1.0),) * 3)
    >>> prompts = types.Prompts(
    ...   tokens=np.array([[1]]),
    ...   length=np.array([1]),
    ...   uid=np.array([7], np.uint32),
    ... )
    >>> key = jax.random.key(0)
    >>> found = tts.beam_search(
    ...   lm.init(key),
    ...   lm,
    ...   prompts,
    ...   key,
    ...   n=4,
    ...   width=2,
    ...   verifier=verifier,
    ...   verifier_params=verifier.init(key),
    ...   sampler=sampling.Categorical(),
    ...   limits=loop.Limits(max_tokens=6, end_token=0),
    ...   delimiters=frozenset({2}),
    ... )
    >>> found.candidates.tokens.shape
    (1, 4, 6)
  """
  strategy = strategies.Beam(n, width, rounds)
  return search(params, lm, prompts, key, strategy=strategy, **settings)[0]


def lookahead_search(
  params: types.Params,
  lm: types.LanguageModel,
  prompts: types.Prompts,
  key: chex.PRNGKey,
  *,
  n: int,
  width: int,
  depth: int,
  rounds: int = strategies.MAX_ROUNDS,
  **settings: Any,
) -> results.SearchResult:
  """Beam search that scores `depth` steps later; `settings` as of `search`.

  Example:
    >>> import jax
    >>> from tts_jax import types
    >>> from tts_jax.decode import loop, sampling
    >>> from tts_jax.model import table
    >>> lm = table.TableModel(((0.0, 1.0, 1.0),) * 3)
    >>> verifier = table.TableVerifier(((0.0, 1.0, -1.0),) * 3)
    >>> prompts = types.Prompts(
    ...   tokens=np.array([[1]]),
    ...   length=np.array([1]),
    ...   uid=np.array([7], np.uint32),
    ... )
    >>> key = jax.random.key(0)
    >>> found = tts.lookahead_search(
    ...   lm.init(key),
    ...   lm,
    ...   prompts,
    ...   key,
    ...   n=4,
    ...   width=2,
    ...   depth=1,
    ...   verifier=verifier,
    ...   verifier_params=verifier.init(key),
    ...   sampler=sampling.Categorical(),
    ...   limits=loop.Limits(max_tokens=6, end_token=0),
    ...   delimiters=frozenset({2}),
    ... )
    >>> found.candidates.tokens.shape
    (1, 4, 6)
  """
  strategy = strategies.Lookahead(n, width, depth, rounds)
  return search(params, lm, prompts, key, strategy=strategy, **settings)[0]


def dvts(
  params: types.Params,
  lm: types.LanguageModel,
  prompts: types.Prompts,
  key: chex.PRNGKey,
  *,
  n: int,
  width: int,
  rounds: int = strategies.MAX_ROUNDS,
  **settings: Any,
) -> results.SearchResult:
  """N / M separate beam searches of M rows; `settings` as of `search`."""
  strategy = strategies.DiverseBeam(n, width, rounds)
  return search(params, lm, prompts, key, strategy=strategy, **settings)[0]
