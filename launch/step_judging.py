"""Scoring the steps of solutions that files give."""

import pathlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import ml_collections
import tqdm

from launch import asking, generation, judges, judging, outside
from tts_jax.store import atomic, manifest, run, step_scores
from tts_jax.tasks import base, processbench, selection
from tts_jax.verify import given_steps, saved

_Made = tuple[given_steps.Scorer, Mapping[str, Any]]


def scorer(config: ml_collections.ConfigDict) -> _Made:
  """The config's verifier at work, and what its scores depend on.

  Raises:
    InputError: as `judges.load`.
  """
  if config.prm.format:
    prm = outside.load(config)
    inputs = {"verifier": saved.content_hash(prm.folder)}
    rows = config.scoring.rows
    return given_steps.by_published(prm, rows=rows, compiler=jax.jit), inputs
  task = asking.form(config, selection.task(config.task))
  model = generation.load_generator(config, task)
  judge = judges.load_judge(config.verifier, model)
  nothing = base.Question(id="", text="", answer="")
  inputs = {
    "verifier": saved.content_hash(judge.folder),
    "model": saved.content_hash(model.folder),
    "prompt": task.prompt(nothing),
  }
  own = given_steps.by_own(
    judging.scorer(config, model, judge), task, model.tokenizer, **config.limits
  )
  return own, inputs


def fill(
  folder: run.Run,
  file: pathlib.Path,
  samples: Sequence[processbench.Sample],
  made: _Made,
  *,
  batch: int,
) -> None:
  """Fills a run's scores of a file's solutions, with a progress bar."""
  score, inputs = made
  stage = folder.stage(
    step_scores.stage(file.stem),
    step_scores.SCHEMA,
    manifest.config_hash({**inputs, "file": atomic.file_hash(file)}),
  )
  if stage.report.dropped:
    print(f"{stage.folder}: {stage.report}")
  kept = sum(len(samples[n * batch : (n + 1) * batch]) for n in stage.done())
  start, read = time.monotonic(), 0
  with tqdm.tqdm(
    total=len(samples), initial=kept, unit="solution", desc=file.stem
  ) as bar:
    for count, tokens in given_steps.fill(stage, samples, score, batch=batch):
      read += tokens
      rate = read / (time.monotonic() - start)
      bar.set_postfix_str(f"{rate:,.0f} tokens/s", refresh=False)
      bar.update(count)
