"""transformers at the same work: its `generate`, as a user would call it.

Needs the extra `bench`; nothing but `launch.bench_peers` imports it.
"""

import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
import transformers

from launch import continuous


class Peer:
  """A Hugging Face folder in transformers."""

  def __init__(self, folder: pathlib.Path, dtype: str) -> None:
    """Loads it.

    Args:
      folder: as `huggingface.save` writes it.
      dtype: "float32" or "bfloat16".
    """
    self._model = transformers.AutoModelForCausalLM.from_pretrained(
      folder, dtype=getattr(torch, dtype)
    ).eval()

  def greedy(self, prompt: Sequence[int], tokens: int) -> list[int]:
    """The most probable continuation."""
    given = torch.tensor([list(prompt)])
    with torch.inference_mode():
      found = self._model.generate(
        given,
        attention_mask=torch.ones_like(given),
        do_sample=False,
        min_new_tokens=tokens,
        max_new_tokens=tokens,
        pad_token_id=0,
      )
    return [int(token) for token in found[0, len(prompt) :]]

  def seconds(
    self, way: str, prompts: Sequence[Sequence[int]], lengths: Sequence[int]
  ) -> float:
    """How long samples take: of each prompt `len(lengths)` of these lengths.

    Args:
      way: of `racing.WAYS`.
      prompts: of one length.
      lengths: tokens of each prompt's samples, which run together; a row that
        has its tokens waits for the others.
    """
    if way == "continuous":
      return continuous.seconds(self._model, prompts, lengths)
    rows, prompt = len(lengths), torch.tensor([list(p) for p in prompts])
    ends = torch.tensor(list(lengths)).repeat(len(prompts))
    settings: dict[str, Any] = dict(
      do_sample=True,
      top_k=0,
      top_p=1.0,
      min_new_tokens=min(lengths),
      max_new_tokens=max(lengths),
      pad_token_id=0,
    )
    if min(lengths) < max(lengths):
      settings["stopping_criteria"] = [_at(ends, prompt.shape[1])]
    with torch.inference_mode():
      start = time.perf_counter()
      if way == "repeated":
        cache = self._model(prompt[:, :-1], use_cache=True).past_key_values
        cache.batch_repeat_interleave(rows)
        settings["past_key_values"] = cache
        prompt = prompt.repeat_interleave(rows, 0)
      else:
        settings["num_return_sequences"] = rows
      if way == "static":
        settings["cache_implementation"] = "static"
      self._model.generate(
        prompt, attention_mask=torch.ones_like(prompt), **settings
      )
      return time.perf_counter() - start


def _at(ends: torch.Tensor, prompt: int) -> Callable[..., torch.Tensor]:
  """Stops each row once it has its tokens."""
  return lambda tokens, _scores, **_: tokens.shape[1] - prompt >= ends
