"""All that draws and scores when a question is solved, compiled once each.

The library does not compile: whoever calls hands in `jax.jit`.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

import jax
import numpy as np

from tts_jax import errors, types
from tts_jax.decode import engine as decode_engine
from tts_jax.decode import loop, pools, sampling, stream
from tts_jax.model import transformer
from tts_jax.revise import engine as revise_engine
from tts_jax.revise import state as chain_state
from tts_jax.scaling import flops
from tts_jax.search import engine as search_engine
from tts_jax.search import outside as outside_search
from tts_jax.search import setup, strategies
from tts_jax.tasks import automaton, tokenization
from tts_jax.verify import (
  difficulty_head,
  incremental,
  published,
  reward,
  scoring,
  solutions,
)

# From (request, its prompt's tokens, solutions) to the scores of each.
_Asked = tuple[stream.Request, Sequence[int], Sequence[solutions.Solution]]
Score = Callable[[Iterable[_Asked]], Iterator[list[np.ndarray]]]

# Draws of different purposes have keys of their own: what places a question
# must not be drawn again to answer it.
_KEYS = {"estimate": 0, "sample": 1, "search": 2, "revise": 3}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outside:
  """A published verifier at hand.

  Attributes:
    prm: the verifier, on the device.
    prompt_tokens: room for a question in its own tokens.
    row_tokens: room for a solution.
  """

  prm: published.Published
  prompt_tokens: int = 512
  row_tokens: int = 1024
  reads_tokens: ClassVar[bool] = True
  reads_history: ClassVar[bool] = False

  def reader(
    self, groups: int, rows: int, compiler: decode_engine.Compile
  ) -> incremental.Reader:
    """It at work on as many questions, with as many solutions each."""
    room = {"prompt_tokens": self.prompt_tokens, "row_tokens": self.row_tokens}
    return incremental.Reader(
      self.prm, groups=groups, rows=rows, **room, compiler=compiler
    )


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Models:
  """A model that answers, and the verifier that judges its answers.

  Attributes:
    lm: the model.
    params: its parameters.
    tokenizer: its tokenizer.
    verifier: reads its states, or text.
    verifier_params: the verifier's; of one that reads text, None.
    rule: ends steps; None: the verifier's tokens do. One that reads text has
      none.
    reviser: the revision model and its verifier; None where there is none.
    head: predicts from the model's states of a prompt how often its answers are
      right; None where there is none.
    head_params: the head's.
  """

  lm: transformer.Transformer
  params: types.Params
  tokenizer: tokenization.Tokenizer
  verifier: reward.RewardModel | Outside
  verifier_params: types.Params = None
  rule: automaton.Delimiters | None = None
  reviser: "Models | None" = None
  head: difficulty_head.DifficultyHead | None = None
  head_params: types.Params = None

  @property
  def delimiters(self) -> automaton.Delimiters:
    """What ends a step."""
    if self.rule is not None or isinstance(self.verifier, Outside):
      return self.rule or frozenset()
    return frozenset(self.verifier.config.delimiters)

  @property
  def network(self) -> flops.Network:
    """What the verifier adds to each token, or its own network."""
    if isinstance(self.verifier, Outside):
      return flops.transformer(self.verifier.prm.lm.config)
    return flops.reward_model(self.verifier)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
  """Limits and sizes.

  Attributes:
    seed: of all draws.
    sampler: draws tokens.
    prompt_tokens: P, of the longest prompt.
    max_tokens: T, of a solution.
    groups: questions at a time.
    rows: that work on each, at most.
    steps: between looks at what is done.
    search_rows: of a search at a time, over all questions.
    search_steps: between looks at what is done.
    step_tokens: a step of so many tokens ends without its delimiter; None: none
      does.
    scoring_rows: of a pass that scores.
    scoring_length: tokens of such a row.
    window: latest answers in the context of a revision.
    context_tokens: of them, at most.
    rebuilt: rows that read their new contexts in one pass.
    trace: searches keep every round, for a picture.

  Example:
    >>> tts.Settings(seed=1, max_tokens=64).alone().groups
    1
  """

  seed: int = 0
  sampler: sampling.Sampler = dataclasses.field(
    default_factory=sampling.Categorical
  )
  prompt_tokens: int = 128
  max_tokens: int = 128
  groups: int = 16
  rows: int = 16
  steps: int = 64
  search_rows: int = 128
  search_steps: int = 64
  step_tokens: int | None = None
  scoring_rows: int = 8
  scoring_length: int = 768
  window: int = 4
  context_tokens: int = 320
  rebuilt: int = 32
  trace: bool = False

  def alone(self) -> "Settings":
    """The same for one question at a time: no rows that wait for others."""
    return dataclasses.replace(
      self, groups=1, rows=self.groups * self.rows, search_rows=1
    )


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Engines:
  """What solving calls.

  Attributes:
    models: that they are of.
    settings: that they have.
    sample: from N and a purpose, "estimate" or "sample", to what samples.
    score: of the base model's solutions, from the request, its prompt's tokens
      and the solutions.
    search: from a strategy to what searches.
    revise: from the lengths of chains to what runs them; refuses where there is
      no revision model.
    score_revised: of the revision model's answers, as `score`.
    place: from questions to the pass@1 that the head predicts, [Q]; None where
      there is no head.
  """

  models: Models
  settings: Settings
  sample: Callable[[int, str], pools.Sample]
  score: Score
  search: Callable[[strategies.Strategy], search_engine.Search]
  revise: Callable[[tuple[int, ...]], revise_engine.Revise]
  score_revised: Score
  place: Callable[[Iterable[stream.Request]], np.ndarray] | None


def make(
  models: Models, settings: Settings, compiler: decode_engine.Compile
) -> Engines:
  """Puts engines together; each is made when it is first asked for.

  Args:
    models: that answer and judge.
    settings: limits and sizes.
    compiler: `jax.jit`.

  Raises:
    InputError: prompts and solutions do not fit the model.
  """
  base, cfg, reviser = jax.random.key(settings.seed), settings, models.reviser
  keys = {name: jax.random.fold_in(base, at) for name, at in _KEYS.items()}
  own = _limits(models, cfg.prompt_tokens, cfg)
  if reviser is not None:
    _limits(reviser, cfg.prompt_tokens + cfg.context_tokens, cfg)

  @functools.cache
  def sample(n: int, purpose: str) -> pools.Sample:
    return decode_engine.make(
      models.params,
      models.lm,
      keys[purpose],
      sampler=cfg.sampler,
      limits=own,
      samples=n,
      prompt_tokens=cfg.prompt_tokens,
      compiler=compiler,
      groups=cfg.groups,
      rows=cfg.rows,
      steps=cfg.steps,
    )

  @functools.cache
  def search(strategy: strategies.Strategy) -> search_engine.Search:
    judge = models.verifier
    inside = outside_search.Unread() if isinstance(judge, Outside) else judge
    one = setup.Setup(
      lm=models.lm,
      verifier=inside,
      strategy=strategy,
      sampler=cfg.sampler,
      limits=own,
      delimiters=models.delimiters,
      step_tokens=cfg.step_tokens,
      trace=cfg.trace,
    )
    sizes: Any = dict(
      rows=cfg.search_rows,
      prompt_tokens=cfg.prompt_tokens,
      steps=cfg.search_steps,
      compiler=compiler,
    )
    if isinstance(judge, Outside):
      begin = outside_search.make(
        models.params,
        one,
        functools.partial(
          judge.reader, rows=strategy.rounds.n, compiler=compiler
        ),
        decode=models.tokenizer.decode,
        **sizes,
      )
    else:
      weights = setup.Weights(lm=models.params, verifier=models.verifier_params)
      begin = search_engine.make(weights, one, **sizes)
    return begin(keys["search"])

  @functools.cache
  def revise(lengths: tuple[int, ...]) -> revise_engine.Revise:
    if reviser is None:
      raise errors.InputError(
        "this strategy revises answers, and there is no revision model; give"
        " one, or a policy without revisions"
      )
    plan = chain_state.Plan(
      lengths=lengths, window=cfg.window, context_tokens=cfg.context_tokens
    )
    one = chain_state.Setup(
      lm=reviser.lm,
      sampler=cfg.sampler,
      limits=_limits(reviser, 0, cfg),
      plan=plan,
      rebuilt=cfg.rebuilt,
    )
    # One question at a time has no use for more rows than it has chains.
    rows = min(cfg.rows, len(lengths)) if cfg.groups == 1 else cfg.rows
    return revise_engine.make(
      reviser.params,
      one,
      keys["revise"],
      groups=cfg.groups,
      rows=rows,
      steps=cfg.steps,
      prompt_tokens=cfg.prompt_tokens,
      compiler=compiler,
    )

  def score(mine: Models) -> Score:
    if isinstance(mine.verifier, Outside):
      return functools.partial(
        incremental.score_pool,
        make=functools.partial(mine.verifier.reader, compiler=compiler),
        decode=mine.tokenizer.decode,
        rows=cfg.scoring_rows,
      )
    inside = scoring.scorer(
      {"model": mine.params, **mine.verifier_params},
      mine.lm,
      mine.verifier,
      rows=cfg.scoring_rows,
      length=cfg.scoring_length,
      compiler=compiler,
    )
    return lambda asked: inside((prompt, found) for _, prompt, found in asked)

  place = None
  if models.head is not None:
    place = difficulty_head.predictor(
      models.head,
      models.head_params,
      models.lm,
      models.params,
      prompt_tokens=cfg.prompt_tokens,
      rows=cfg.groups,
      compiler=compiler,
    )

  return Engines(
    models=models,
    settings=settings,
    sample=sample,
    score=score(models),
    search=search,
    revise=revise,
    score_revised=score(reviser or models),
    place=place,
  )


def _limits(models: Models, before: int, settings: Settings) -> loop.Limits:
  """Of solutions that stand behind so many tokens, checked for their room."""
  limits = loop.Limits(
    max_tokens=settings.max_tokens, end_token=models.tokenizer.end_tokens
  )
  pools.check_fit(models.lm.config, models.tokenizer, before, limits)
  return limits
