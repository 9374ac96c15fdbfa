"""What launchers that revise share: the engine, and filling a run's chains."""

import functools
import time
from collections.abc import Callable
from typing import Any

import jax
import ml_collections
import tqdm

from launch import generation
from tts_jax.decode import pools, sampling
from tts_jax.revise import chains, rows, stream
from tts_jax.revise import state as states
from tts_jax.store import chains as store
from tts_jax.store import run
from tts_jax.tasks import base


def engine(
  model: generation.Generator,
  config: ml_collections.ConfigDict,
  plan: states.Plan,
) -> Callable[..., Any]:
  """Chains by the model, compiled: from requests to their results."""
  setup = states.Setup(
    lm=model.lm,
    sampler=sampling.Categorical(**config.sampler),
    limits=model.limits(config.limits.max_tokens),
    plan=plan,
    rebuilt=config.engine.rebuilt,
  )
  room, sizes = config.limits.prompt_tokens, config.engine
  each = min(sizes.rows, len(plan.lengths))
  state = states.init_state(
    model.params,
    setup=setup,
    # As many rows in all, where a question has fewer chains than rows.
    groups=max(1, sizes.groups * sizes.rows // each),
    rows=each,
    prompt_tokens=room,
  )
  jit = functools.partial(jax.jit, donate_argnums=1)
  step = functools.partial(chains.chain_chunk, steps=sizes.steps)
  return functools.partial(
    stream.run,
    model.params,
    state,
    key=jax.random.key(config.seed),
    admit=jit(functools.partial(states.admit, setup=setup)),
    chunk=jit(functools.partial(step, setup=setup)),
    prompt_tokens=room,
  )


def run_chains(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  model: generation.Generator,
  plan: states.Plan,
) -> None:
  """Fills a run's chains, with a progress bar."""
  inputs = pools.inputs_hash(questions, model.folder)
  stage = folder.stage(store.STAGE, store.SCHEMA, inputs)
  print(f"{stage.folder}: {stage.report}", flush=True)
  size, batch = len(questions), config.engine.batch
  kept = size - len(pools.missing(stage, questions, batch))
  start = time.monotonic()
  with tqdm.tqdm(total=size, initial=kept, unit="question") as bar:
    for progress in pools.fill(
      stage,
      questions,
      engine(model, config, plan),
      task,
      model.tokenizer,
      batch=batch,
      table=functools.partial(rows.table, plan=plan),
    ):
      rate = progress.stats.generated / (time.monotonic() - start)
      busy = progress.stats.utilisation
      bar.set_postfix_str(f"{rate:,.0f} tokens/s, rows {busy:.0%}", False)
      bar.update()
