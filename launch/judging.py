"""What launchers that verify share: a verifier, and a pool's scores."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import ml_collections
import tqdm

from launch import generation
from tts_jax import types
from tts_jax.decode import pools
from tts_jax.store import pool, run, shards
from tts_jax.tasks import base
from tts_jax.verify import (
  embedded,
  pool_scores,
  reward,
  saved,
  scoring,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judge:
  """A verifier on the device, and its folder."""

  verifier: reward.RewardModel
  params: types.Params
  folder: pathlib.Path

  @property
  def kind(self) -> str:
    """Of chains, what it reads: the key of `chains.SCORES`."""
    return "history" if self.verifier.reads_history else "alone"


def load_judge(
  path: str, model: generation.Generator, key: str = "config.verifier"
) -> Judge:
  """The verifier at the path that `key` gives, checked against the model."""
  folder = embedded.folder(path, model.folder, key)
  verifier, params = saved.load(folder, saved.origin(model.folder))
  saved.check_fit(verifier, model.lm, model.lm.config.width)
  return Judge(verifier=verifier, params=jax.device_put(params), folder=folder)


def scorer(
  config: ml_collections.ConfigDict, model: generation.Generator, judge: Judge
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


def score_pool(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  judge: Judge,
) -> None:
  """Scores the samples of a run's pool, with a progress bar."""
  stage = pool_scores.open_stage(folder, judge.folder)
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
      scorer(config, model, judge),
      task,
      model.tokenizer,
      batch=batch,
    ):
      bar.update(size - left - bar.n)
