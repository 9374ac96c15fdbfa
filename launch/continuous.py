"""transformers' continuous batching, as a user would call it.

Needs the extra `bench`; nothing but `launch.peers` imports it.
"""

import time
from collections.abc import Sequence
from typing import Any

import transformers

_PAGE = 256  # Tokens of a page of its cache.


def seconds(
  model: Any, prompts: Sequence[Sequence[int]], lengths: Sequence[int]
) -> float:
  """How long samples take: of each prompt `len(lengths)`, all of one length."""
  tokens, rows = lengths[0], len(lengths)
  settings = transformers.GenerationConfig(
    do_sample=True,
    top_k=0,
    top_p=1.0,
    max_new_tokens=tokens,
    pad_token_id=0,
    eos_token_id=-1,  # None ends.
    num_return_sequences=rows,
  )
  # Room for all rows, so that none waits.
  pages = -(-(len(prompts[0]) + tokens) // _PAGE) + 1
  room = transformers.ContinuousBatchingConfig(
    page_size=_PAGE, num_blocks=pages * len(prompts) * rows
  )
  start = time.perf_counter()
  found = model.generate_batch(
    inputs=[list(prompt) for prompt in prompts],
    generation_config=settings,
    continuous_batching_config=room,
    warmup=False,
  )
  took = time.perf_counter() - start
  assert len(found) == len(prompts) * rows, "each sample is there"
  made = {len(one.generated_tokens) for one in found.values()}
  assert made == {tokens}, "each sample has its length"
  return took
