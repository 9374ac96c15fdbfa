"""What launchers that verify share: the scores of a pool."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import ml_collections
import tqdm

from launch import generation, judges
from tts_jax.decode import pools
from tts_jax.store import pool, run, shards
from tts_jax.tasks import base
from tts_jax.verify import (
  incremental,
  pool_scores,
  scoring,
)


def scorer(
  config: ml_collections.ConfigDict,
  model: generation.Generator,
  judge: judges.Judge,
) -> Callable[..., Any]:
  """What scores packed solutions, compiled."""
  return scoring.scorer(
    {"model": model.params, **judge.params},
    model.lm,
    judge.verifier,
    rows=config.scoring.rows,
    length=config.scoring.length,
    compiler=jax.jit,
  )


def _pool_scorer(
  config: ml_collections.ConfigDict,
  model: generation.Generator,
  judge: judges.AnyJudge,
) -> pool_scores.ScoreAsked:
  """What scores the samples of questions."""
  if isinstance(judge, judges.OutsideJudge):
    return functools.partial(
      incremental.score_pool,
      make=judge.reader,
      decode=model.tokenizer.decode,
      rows=config.scoring.rows,
    )
  score = scorer(config, model, judge)
  return lambda asked: score((prompt, mine) for _, prompt, mine in asked)


def score_pool(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  judge: judges.AnyJudge,
) -> None:
  """Scores the samples of a run's pool, with a progress bar."""
  form = judge.prm.format.name if isinstance(judge, judges.OutsideJudge) else ""
  stage = pool_scores.open_stage(folder, judge.folder, form)
  columns = ("question_id", "sample", "tokens", "logprobs")
  drawn = shards.read(folder.path / pool.STAGE, columns)
  size, batch = len(questions), config.engine.batch
  kept = size - len(pools.missing(stage, questions, batch))
  with tqdm.tqdm(
    total=size, initial=kept, unit="question", desc="scores"
  ) as bar:
    for left in pool_scores.fill(
      stage,
      drawn,
      questions,
      _pool_scorer(config, model, judge),
      task,
      model.tokenizer,
      batch=batch,
    ):
      bar.update(size - left - bar.n)
