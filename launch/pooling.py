"""What launchers that sample share: the set-up of a pool."""

import functools
import time

import jax
import ml_collections
import tqdm

from tts_jax.decode import loop, pools, sampling, stream, usage
from tts_jax.model import embedded, huggingface
from tts_jax.store import pool, run
from tts_jax.tasks import base, jsonl, selection, tokenization


def find_questions(
  config: ml_collections.ConfigDict,
) -> tuple[base.Task, list[base.Question]]:
  """The task, and the questions that the config asks for."""
  wanted = config.questions
  return selection.select(
    config.task,
    count=wanted.count,
    seed=config.seed,
    path=wanted.path,
    fields=jsonl.Fields(question=wanted.question, answer=wanted.answer),
  )


def sample_pool(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
) -> usage.Usage:
  """Fills a run's pool, with a progress bar; returns what that cost in all."""
  model = embedded.folder(config.model, task.name)
  lm, params = huggingface.load(model, "float32")
  params, tokenizer = jax.device_put(params), tokenization.load(model)
  limits = loop.Limits(
    max_tokens=config.limits.max_tokens, end_token=tokenizer.end_token
  )
  pools.check_fit(lm.config, tokenizer, config.limits.prompt_tokens, limits)
  chunk = functools.partial(
    loop.decode_chunk,
    lm=lm,
    sampler=sampling.Categorical(**config.sampler),
    limits=limits,
    steps=config.engine.steps,
  )
  sample = functools.partial(
    stream.stream,
    params,
    loop.init_state(
      params,
      lm=lm,
      limits=limits,
      groups=config.engine.groups,
      rows=config.engine.rows,
      samples=config.samples,
      prompt_tokens=config.limits.prompt_tokens,
    ),
    key=jax.random.key(config.seed),
    admit=jax.jit(functools.partial(loop.admit, lm=lm), donate_argnums=1),
    chunk=jax.jit(chunk, donate_argnums=1),
    samples=config.samples,
    prompt_tokens=config.limits.prompt_tokens,
  )
  inputs_hash = pools.inputs_hash(questions, model)
  stage = folder.stage(pool.STAGE, pool.SCHEMA, inputs_hash)
  if stage.report.dropped:
    print(f"{stage.folder}: {stage.report}")
  pool.expect(folder, len(questions))
  size, batch = len(questions), config.engine.batch
  kept = size - len(pools.missing(stage, questions, batch))
  print(f"{size} questions x {config.samples} samples, {kept} done", flush=True)
  before = total = usage.load(folder)
  start = time.monotonic()
  with tqdm.tqdm(total=size, initial=kept, unit="question") as bar:
    for progress in pools.fill(
      stage, questions, sample, task, tokenizer, batch=batch
    ):
      seconds = time.monotonic() - start
      total = before.plus(progress.stats, seconds)
      total.save(folder)
      rate = progress.stats.generated / seconds
      bar.set_postfix_str(f"{rate:,.0f} tokens/s", refresh=False)
      bar.update()
  return total
