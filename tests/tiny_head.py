"""A difficulty head of a tiny model, as it is drawn: it parts questions."""

import pathlib

import jax
import numpy as np

from tts_jax import types
from tts_jax.model import huggingface
from tts_jax.verify import difficulty_head, saved, saved_difficulty


def save(folder: pathlib.Path, model: pathlib.Path, seed: int = 0) -> None:
  """Writes a head of the model in `model`."""
  lm, _ = huggingface.load(model)
  head = difficulty_head.DifficultyHead(lm.config.width, width=6)
  params = draw(head, seed)
  saved_difficulty.save(folder, head, params, saved.origin(model), {})


def draw(head: difficulty_head.DifficultyHead, seed: int = 0) -> types.Params:
  """Parameters all of which count."""
  rng = np.random.default_rng(seed)
  drawn = jax.tree.map(
    lambda leaf: rng.normal(0, 0.4, leaf.shape).astype(np.float32),
    jax.eval_shape(head.init, jax.random.key(0)),
  )
  drawn["standard"]["scale"] = np.abs(drawn["standard"]["scale"]) + 0.1
  return drawn
