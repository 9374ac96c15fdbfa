"""The floor under a decode step, against figures worked out elsewhere."""

import pathlib

import jax
import pytest

from tts_jax.model import config, huggingface_config, transformer
from tts_jax.scaling import roofline

_SHAPES = pathlib.Path(__file__).parent.parent / "configs" / "shapes"


def test_an_8b_model_on_a_large_chip():
  """256 samples of one question behind 1,500 tokens: weights and 8.8 GB."""
  path = _SHAPES / "Llama-3.1-8B-Instruct.json"
  cfg = huggingface_config.read(path, "bfloat16")
  work = roofline.Decoding(
    cfg=cfg, questions=1, rows=256, prompt=1500, suffix=256
  )
  machine = roofline.Machine(bytes_per_second=4.3e12, flops_per_second=790e12)
  assert work.kv_bytes == pytest.approx(8.8e9, rel=0.01)
  assert work.floor(machine) == pytest.approx(5.8e-3, rel=0.05)
  # Many rows are bound by arithmetic instead: twice the rows, twice the time.
  floors = [
    roofline.Decoding(
      cfg=cfg, questions=1, rows=rows, prompt=100, suffix=10
    ).floor(machine)
    for rows in (4096, 8192)
  ]
  assert floors[1] == pytest.approx(2 * floors[0], rel=1e-6)


@pytest.mark.parametrize("tied", [True, False])
def test_weights_that_every_token_meets(tied):
  cfg = config.TransformerConfig(
    vocabulary=50,
    width=8,
    layers=2,
    heads=2,
    kv_heads=1,
    head_width=4,
    mlp_width=12,
    max_positions=32,
    tied=tied,
  )
  shapes = jax.eval_shape(transformer.Transformer(cfg).init, jax.random.key(0))
  whole = sum(leaf.size for leaf in jax.tree.leaves(shapes))
  # What is looked up, and no more than looked up, is not met.
  assert roofline.matrix_elements(cfg) == whole - (0 if tied else 50 * 8)
  assert roofline.prefill_flops(cfg, 3, 10) < 2 * 30 * whole
