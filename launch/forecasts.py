"""What drawing takes, by a config: parts of an outlook."""

import math

import ml_collections

from launch import costing, outlook, progress
from tts_jax.scaling import flops
from tts_jax.store import labels, pool, scores

# Steps of a solution: of those that ship, 3.49 on average.
_STEPS = 3.5


def samples(
  config: ml_collections.ConfigDict, out: str, questions: int
) -> outlook.Part:
  """Of a pool."""
  limits, each = config.limits, config.samples
  drawn = costing.part(
    config,
    "samples",
    f"{questions} questions x {each}",
    questions * (limits.prompt_tokens + each * limits.max_tokens),
    (costing.generator(config),),
    seconds=costing.SAMPLE * each * questions,
    done=progress.done(out, pool.STAGE, shards(config, questions)),
  )
  return progress.measured(out, drawn)


def rollouts(
  config: ml_collections.ConfigDict, out: str, questions: int
) -> outlook.Part:
  """Of the steps of a pool's samples, each of which begins at a step's end."""
  count = math.ceil(questions * config.samples * config.rollouts * _STEPS)
  each = config.limits.max_tokens / 2
  return costing.part(
    config,
    "labels",
    f"{count} rollouts, {_STEPS} steps a sample",
    questions * config.samples * config.limits.max_tokens + count * each,
    (costing.generator(config),),
    seconds=costing.SAMPLE * count,
    done=progress.done(out, labels.STAGE, shards(config, questions)),
  )


def scoring(
  config: ml_collections.ConfigDict, out: str, questions: int
) -> outlook.Part:
  """Of a pool's samples, read once more."""
  limits = config.limits
  return costing.part(
    config,
    "scores",
    f"{questions} questions x {config.samples}",
    questions * (limits.prompt_tokens + config.samples * limits.max_tokens),
    judging(config),
    # The time of samples has this in it.
    seconds=0.0,
    done=progress.done(out, scores.STAGE, shards(config, questions)),
  )


def solutions(config: ml_collections.ConfigDict, count: int) -> outlook.Part:
  """Of so many that a file gives, each read once with its question."""
  each = sum(config.limits.values())
  return costing.part(
    config,
    "scores",
    f"{count} solutions",
    count * each,
    judging(config),
    seconds=None,
  )


def judging(config: ml_collections.ConfigDict) -> tuple[flops.Network, ...]:
  """What each token that is judged passes through."""
  mine = (costing.verifier(config),)
  return mine if config.prm.format else (*mine, costing.generator(config))


def shards(config: ml_collections.ConfigDict, questions: int) -> int:
  """Of a stage of so many questions; a batch of 0 is refused later."""
  return -(-questions // max(1, config.engine.batch))
