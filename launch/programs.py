"""All programs that launchers compile for a config."""

from collections.abc import Iterator

import jax
import ml_collections

from launch import (
  lowering,
  lowering_decoding,
  lowering_searches,
  lowering_training,
  lowering_verifiers,
)
from tts_jax.model import footprint, transformer

model = lowering_decoding.model


def axes(config: ml_collections.ConfigDict, model: int) -> dict[str, int]:
  """Chips along each axis but `data`; `model` 0 is the config's, or else 1."""
  found = {**config.get("mesh", {})}
  return {**found, "model": model} if model else found


def jobs(
  config: ml_collections.ConfigDict,
  lm: transformer.Transformer,
  mesh: jax.sharding.Mesh,
) -> Iterator[lowering.Job]:
  """One after another."""
  if "tokenizer" in config:
    yield lowering_training.job(config, lm, mesh)
    return
  params = footprint.shapes(lm, mesh)
  if "prm" not in config or not config.prm.format:
    yield from lowering_decoding.jobs(config, lm, params)
    return
  judge = lowering_verifiers.verifier(config, mesh)
  yield from lowering_decoding.jobs(config, lm, params, beside=judge[1])
  yield from lowering_searches.jobs(config, lm, params, *judge)
