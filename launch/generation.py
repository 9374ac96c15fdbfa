"""What launchers that generate share: the model and the decode loop."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import ml_collections

from tts_jax import types
from tts_jax.decode import loop, pools, sampling, stream
from tts_jax.model import embedded, huggingface, transformer
from tts_jax.tasks import base, tokenization


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generator:
  """A model on the device, with its tokenizer and its folder."""

  lm: transformer.Transformer
  params: types.Params
  tokenizer: tokenization.Tokenizer
  folder: pathlib.Path

  def limits(self, max_tokens: int) -> loop.Limits:
    """Of completions."""
    end = self.tokenizer.end_token
    return loop.Limits(max_tokens=max_tokens, end_token=end)


def load_generator(
  config: ml_collections.ConfigDict,
  task: base.Task,
  folder: pathlib.Path | None = None,
  context_tokens: int = 0,
) -> Generator:
  """The config's model or another, checked against the config's limits."""
  folder = folder or embedded.folder(config.model, task.name)
  lm, params = huggingface.load(folder, "float32")
  found = Generator(
    lm=lm,
    params=jax.device_put(params),
    tokenizer=tokenization.load(folder),
    folder=folder,
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
  limits = model.limits(config.limits.max_tokens)
  sampler = sampling.Categorical(**config.sampler)
  static: Any = dict(lm=model.lm, sampler=sampler, limits=limits)
  steps = config.engine.steps
  chunk = functools.partial(loop.decode_chunk, **static, steps=steps)
  state = loop.init_state(
    model.params,
    lm=model.lm,
    limits=limits,
    groups=config.engine.groups,
    # A row beyond a question's samples would be put through idle.
    rows=min(config.engine.rows, max(room or samples, 1)),
    samples=room or samples,
    prompt_tokens=prompt_tokens,
  )
  return functools.partial(
    stream.stream,
    model.params,
    state,
    key=jax.random.key(config.seed),
    admit=jax.jit(functools.partial(loop.admit, lm=model.lm), donate_argnums=1),
    chunk=jax.jit(chunk, donate_argnums=1),
    samples=samples,
    prompt_tokens=prompt_tokens,
  )
