"""Filling a run's revisions of what a search found."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import chex
import ml_collections

from launch import chaining, generation, revising
from tts_jax.decode import pools
from tts_jax.decode import stream as decode_stream
from tts_jax.revise import stream
from tts_jax.store import chains, manifest, run
from tts_jax.tasks import base


def revise(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  found: Sequence[Sequence[str | None]],
  key: chex.PRNGKey,
) -> None:
  """Fills a run's chains of two: what a search found, and its revision.

  Args:
    folder: of the run.
    config: of the run.
    task: its task.
    questions: Q.
    model: the revision model.
    found: [Q, C], the solutions of each question; None where one has no end:
      the model then writes both answers, as for one too long when encoded.
    key: of the draws.
  """
  most = config.limits.max_tokens
  given = {
    question.id: [
      stream.given_answer(text, model.tokenizer, most) for text in mine
    ]
    for question, mine in zip(questions, found, strict=True)
  }
  plan = revising.plan(config, (2,) * len(found[0]))
  run_all = revising.engine(model, config, plan, key)

  def sample(requests: Iterable[decode_stream.Request]) -> Any:
    return run_all(
      stream.Request(**dataclasses.asdict(one), given=given[one.id])
      for one in requests
    )

  inputs = {
    "model": pools.inputs_hash(questions, model.folder),
    "found": [list(mine) for mine in found],
  }
  stage = folder.stage(
    chains.OF_SEARCH, chains.SCHEMA, manifest.config_hash(inputs)
  )
  chaining.follow(
    stage, config, questions, sample, task, model, plan, given=given
  )
