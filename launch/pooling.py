"""What launchers that sample share: the set-up of a pool."""

import dataclasses
import functools
import pathlib
import random
import time

import jax
import ml_collections
import tqdm

from tts_jax import errors
from tts_jax.decode import loop, pools, sampling, stream, usage
from tts_jax.model import embedded, huggingface
from tts_jax.store import atomic, manifest, pool, run
from tts_jax.tasks import base, catalogue, jsonl, tokenization


def find_questions(
  config: ml_collections.ConfigDict,
) -> tuple[base.Task, list[base.Question]]:
  """The task, and the questions that the config asks for, drawn by seed."""
  wanted = config.questions
  if config.task == "jsonl":
    fields = jsonl.Fields(question=wanted.question, answer=wanted.answer)
    questions = jsonl.read_questions(pathlib.Path(wanted.path), fields)
    task: base.Task = jsonl.JsonlTask()
  else:
    found = catalogue.find(config.task)
    task, questions = found.task, found.reporting()
  if wanted.count < 0 or wanted.count > len(questions):
    raise errors.InputError(
      f"config.questions.count is {wanted.count}; there are {len(questions)}"
    )
  if wanted.count:
    order = random.Random(config.seed).sample(range(len(questions)), wanted.count)
    questions = [questions[index] for index in sorted(order)]
  return task, questions


def sample_pool(
  folder: run.Run, config: ml_collections.ConfigDict
) -> usage.Usage:
  """Fills a run's pool, with a progress bar; returns what that cost in all."""
  task, questions = find_questions(config)
  model = pathlib.Path(config.model) if config.model else embedded.FOLDER
  lm, params = huggingface.load(model, "float32")
  params = jax.device_put(params)
  tokenizer = tokenization.load(model)
  if tokenizer.vocabulary > lm.vocabulary:
    raise errors.InputError(
      f"{model}: the tokenizer has {tokenizer.vocabulary} tokens, the model "
      f"{lm.vocabulary}"
    )
  positions = config.limits.prompt_tokens + config.limits.max_tokens
  if positions > lm.config.max_positions:
    raise errors.InputError(
      f"config.limits: prompt_tokens and max_tokens make {positions}; the model "
      f"has {lm.config.max_positions} positions"
    )
  limits = loop.Limits(
    max_tokens=config.limits.max_tokens, end_token=tokenizer.end_token
  )
  state = loop.init_state(
    params,
    lm=lm,
    limits=limits,
    groups=config.engine.groups,
    rows=config.engine.rows,
    samples=config.samples,
    prompt_tokens=config.limits.prompt_tokens,
  )
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
    state,
    key=jax.random.key(config.seed),
    admit=jax.jit(functools.partial(loop.admit, lm=lm), donate_argnums=1),
    chunk=jax.jit(chunk, donate_argnums=1),
    samples=config.samples,
    prompt_tokens=config.limits.prompt_tokens,
  )
  inputs = {
    "questions": [dataclasses.asdict(question) for question in questions],
    "model": {
      path.name: atomic.file_hash(path)
      for path in sorted(model.iterdir())
      if path.suffix in (".json", ".safetensors")
    },
  }
  stage = folder.stage(pool.STAGE, pool.SCHEMA, manifest.config_hash(inputs))
  print(f"{folder.path / pool.STAGE}: {stage.report}")
  total, start = usage.load(folder), time.monotonic()
  before = total
  with tqdm.tqdm(total=len(questions), unit="question", smoothing=0.1) as bar:
    for progress in pools.fill(
      stage,
      questions,
      sample,
      task=task,
      tokenizer=tokenizer,
      batch=config.engine.batch,
    ):
      seconds = time.monotonic() - start
      total = before.plus(progress.stats, seconds)
      total.save(folder)
      bar.update(len(questions) - progress.left - bar.n)
      bar.set_postfix_str(f"{progress.stats.generated / seconds:,.0f} tokens/s")
  return total
