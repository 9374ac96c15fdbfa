"""What launchers that generate share: the model and the decode loop."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import ml_collections

from launch import eight_bit, loading
from tts_jax import types
from tts_jax.decode import engine as decode_engine
from tts_jax.decode import loop, pools, sampling
from tts_jax.model import embedded, huggingface, transformer
from tts_jax.tasks import automaton, base, tokenization


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generator:
  """A model on the device, with its tokenizer and its folder.

  Where one token does not tell that a step has ended, `rule` does.
  """

  lm: transformer.Transformer
  params: types.Params
  tokenizer: tokenization.Tokenizer
  folder: pathlib.Path
  rule: automaton.Automaton | None

  def limits(self, max_tokens: int) -> loop.Limits:
    """Of completions."""
    ends = self.tokenizer.end_tokens
    return loop.Limits(max_tokens=max_tokens, end_token=ends)


def load_generator(
  config: ml_collections.ConfigDict,
  task: base.Task,
  folder: pathlib.Path | None = None,
  context_tokens: int = 0,
) -> Generator:
  """The config's model or another, checked against the config's limits."""
  folder = folder or embedded.folder(config.model, task.name)
  dtype = config.get("dtype", "float32") or None
  with loading.settings(config, folder.name) as settings:
    lm, params = huggingface.load(folder, dtype, **settings)
    lm, params = eight_bit.held(lm, params, config.get("int8", ""))
  tokenizer = tokenization.load(folder)
  found = Generator(
    lm=lm,
    params=loading.on_devices(params),
    tokenizer=tokenizer,
    folder=folder,
    rule=tokenizer.rule(task.step_delimiter),
  )
  pools.check_fit(
    lm.config,
    found.tokenizer,
    config.limits.prompt_tokens + context_tokens,
    found.limits(config.limits.max_tokens),
  )
  return found


def engine(
  model: Generator,
  config: ml_collections.ConfigDict,
  *,
  samples: int,
  prompt_tokens: int,
  room: int | None = None,
) -> Callable[..., Any]:
  """The decode loop, compiled; `room` is N where a request has branches."""
  return decode_engine.make(
    model.params,
    model.lm,
    jax.random.key(config.seed),
    sampler=sampling.make(**config.sampler),
    limits=model.limits(config.limits.max_tokens),
    groups=config.engine.groups,
    rows=config.engine.rows,
    samples=samples,
    prompt_tokens=prompt_tokens,
    steps=config.engine.steps,
    compiler=jax.jit,
    room=room,
  )
