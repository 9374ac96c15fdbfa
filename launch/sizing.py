"""Limits and sizes of what solves, as a config has them."""

import ml_collections

from launch import costing, outlook
from tts_jax.decode import sampling
from tts_jax.solving import engines

_REVISION = ("window", "context_tokens", "rebuilt")


def settings(
  config: ml_collections.ConfigDict, *, trace: bool
) -> engines.Settings:
  """Those of many questions at a time; `trace` keeps what a picture needs."""
  return engines.Settings(
    seed=config.seed,
    sampler=sampling.make(**config.sampler),
    **config.limits,
    **{name: config.engine[name] for name in ("groups", "rows", "steps")},
    search_rows=config.search.rows,
    search_steps=config.search.steps,
    step_tokens=config.search.step_tokens or None,
    scoring_rows=config.scoring.rows,
    scoring_length=config.scoring.length,
    trace=trace,
    **{name: config.revision[name] for name in _REVISION},
  )


def forecast(
  config: ml_collections.ConfigDict, questions: int, budget: float
) -> outlook.Part:
  """Of questions, and as many generations of each."""
  tokens = config.limits.prompt_tokens + budget * config.limits.max_tokens
  return costing.part(
    config,
    "answers",
    f"{questions} questions x {budget:g} generations",
    questions * tokens,
    (costing.generator(config), costing.verifier(config)),
    seconds=costing.GENERATION * budget * questions,
  )
