"""What launchers that revise share: the model, the chains, the engine."""

from collections.abc import Callable
from typing import Any

import chex
import jax
import ml_collections

from launch import generation
from tts_jax.decode import sampling
from tts_jax.model import embedded
from tts_jax.revise import engine as revise_engine
from tts_jax.revise import state as states
from tts_jax.tasks import base


def plan(
  config: ml_collections.ConfigDict, lengths: tuple[int, ...]
) -> states.Plan:
  """Chains of so many answers each, by the config."""
  return states.Plan(
    lengths=lengths,
    window=config.revision.window,
    context_tokens=config.revision.context_tokens,
  )


def load_reviser(
  config: ml_collections.ConfigDict, task: base.Task, path: str, key: str
) -> generation.Generator:
  """The revision model at the path that `key` gives, checked for its room."""
  folder = embedded.folder(path, task.name, embedded.REVISION, key)
  room = config.revision.context_tokens
  return generation.load_generator(config, task, folder, room)


def setup(
  model: generation.Generator,
  config: ml_collections.ConfigDict,
  plan: states.Plan,
) -> states.Setup:
  """The chains of a plan as the loop takes them."""
  return states.Setup(
    lm=model.lm,
    sampler=sampling.make(**config.sampler),
    limits=model.limits(config.limits.max_tokens),
    plan=plan,
    rebuilt=config.revision.rebuilt,
  )


def engine(
  model: generation.Generator,
  config: ml_collections.ConfigDict,
  plan: states.Plan,
  key: chex.PRNGKey | None = None,
) -> Callable[..., Any]:
  """Chains by the model, compiled: from requests to their results.

  Args:
    model: the revision model.
    config: of the run.
    plan: the chains of a question.
    key: of the draws; None: by the config's seed, as those of a pool.
  """
  return revise_engine.make(
    model.params,
    setup(model, config, plan),
    jax.random.key(config.seed) if key is None else key,
    groups=config.engine.groups,
    rows=config.engine.rows,
    prompt_tokens=config.limits.prompt_tokens,
    steps=config.engine.steps,
    compiler=jax.jit,
  )
