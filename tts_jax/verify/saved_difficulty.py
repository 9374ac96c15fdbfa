"""Difficulty heads as files: a card of JSON, and weights in safetensors.

difficulty.json          the head's shape, what it was made for, what it reached
difficulty.safetensors   its weights, named by their paths
"""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import safetensors.numpy

from tts_jax import errors, json_input, storage, types
from tts_jax.model import config
from tts_jax.store import atomic
from tts_jax.verify import cards, difficulty_head, saved

CARD, WEIGHTS = "difficulty.json", "difficulty.safetensors"


def save(
  folder: str | pathlib.Path,
  head: difficulty_head.DifficultyHead,
  params: types.Params,
  made_for: saved.Origin,
  reached: Mapping[str, Any],
) -> None:
  """Writes what `load` reads.

  Args:
    folder: made if it does not exist.
    head: its shape.
    params: as its `init` gives them; written in float32.
    made_for: the model whose states it reads.
    reached: what its training measured, for readers.
  """
  folder = storage.at(folder)
  atomic.make_folder(folder)
  tree = jax.tree.map(lambda x: np.asarray(x, np.float32, "C"), params)
  weights = safetensors.numpy.save(saved.named(tree))
  atomic.write_bytes(folder / WEIGHTS, weights)
  card = {
    "head": dataclasses.asdict(head),
    "origin": dataclasses.asdict(made_for),
    "reached": dict(reached),
  }
  atomic.write_json(folder / CARD, card)


def load(
  folder: str | pathlib.Path, here: saved.Origin | None = None
) -> tuple[difficulty_head.DifficultyHead, types.Params]:
  """Reads a head and its parameters, float32 numpy arrays.

  Args:
    folder: as `save` wrote it.
    here: of the model and tokenizer at hand; None takes any.

  Raises:
    InputError: the files are not whole; the head was made for another
      tokenizer or model; its weights do not fit its card.
  """
  folder = storage.fetched(folder)
  card = json_input.read_object(folder / CARD)
  if here is not None:
    saved.check_origin(folder / CARD, here)
  kind = difficulty_head.DifficultyHead
  head = cards.build(folder / CARD, "head", kind, card.get("head"))
  shapes = jax.eval_shape(head.init, jax.random.key(0))
  params = saved.tensors(folder / WEIGHTS, shapes, CARD)
  if (params["standard"]["scale"] <= 0).any():
    raise errors.InputError(
      f"{folder / WEIGHTS}: tensor 'standard/scale' must be above 0"
    )
  return head, params


def check_fit(
  head: difficulty_head.DifficultyHead, model: config.TransformerConfig
) -> None:
  """Checks that a head can read a model's states.

  Raises:
    InputError: their widths differ, or the model has no such block.
  """
  if head.input_width != model.width:
    raise errors.InputError(
      f"the difficulty head reads states of width {head.input_width}, the"
      f" model's are {model.width} wide; train one on this model"
    )
  if head.tap is not None and head.tap >= model.layers:
    raise errors.InputError(
      f"the difficulty head's tap is {head.tap}; it must be from 0 to below the"
      f" model's {model.layers} blocks, or None"
    )
