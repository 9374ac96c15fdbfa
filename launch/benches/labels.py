"""Monte Carlo labels of steps, from a pool's samples to written shards."""

import tempfile
import time
from collections.abc import Iterator
from typing import Any

import ml_collections

from launch import (
  generation,
  kv_cache,
  labelling,
  pooling,
  throughput,
  turns,
)
from launch.benches import sampling
from tts_jax.decode import pools, stream
from tts_jax.store import labels as labels_lib
from tts_jax.store import pool, run, shards
from tts_jax.verify import label_costs, labels


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """A line of the labels of `config.labels`, grading and writing included.

  Tokens are those of rollouts; the samples that are labelled are drawn before.
  """
  wanted = config.experiment.copy_and_resolve_references()
  with wanted.unlocked():
    wanted.rollouts = config.labels.rollouts
    wanted.engine.branches = config.labels.branches
  wanted.questions.count = config.labels.questions
  wanted.samples = config.labels.samples
  task, questions = pooling.find_questions(wanted)
  model = generation.load_generator(wanted, task)
  sample, plan = labelling.engine(model, wanted), labelling.plan(wanted)
  progress: list[pools.Progress] = []
  costs: dict[str, Any] = {}
  with tempfile.TemporaryDirectory() as out, run.Run.open(out, {}) as folder:
    pooling.sample_pool(folder, wanted, task, questions, model)
    drawn = shards.read(folder.path / pool.STAGE, labels.POOL_COLUMNS)

    def turn() -> float:
      name = f"{labels_lib.STAGE}_{len(progress)}"
      stage = folder.stage(name, labels_lib.SCHEMA, name)
      given = stage, questions, drawn, sample, task, model.tokenizer
      start = time.perf_counter()
      *_, last = labels.fill(*given, plan, wanted.engine.batch)
      took = time.perf_counter() - start
      progress.append(last)
      costs.update(label_costs.summarise(stage.read()))
      return took

    took = turns.take({"labels": turn}, config.repeats)["labels"]
  stats: stream.Stats = progress[-1].stats
  most = plan.longest(wanted.limits.prompt_tokens)
  shapes = sampling.shapes(model, wanted, plan.room, most)
  made, labelled = costs["tokens_generated"], costs["labels"]
  rate = throughput.spread(labelled / took.seconds)
  yield throughput.Line(
    name=f"{plan.count} rollouts a prefix",
    seconds=took.seconds,
    compile=took.compile,
    tokens=made,
    utilisation=stats.utilisation,
    kv_bytes=sum(kv_cache.sizes(shapes)),
    forwarded=1 + costs["tokens_prefilled"] / made if made else None,
    own={"labels": labelled, "labels_per_second": rate, "costs": costs},
    note=f"{rate['median']:,.0f} labels/s",
  )
