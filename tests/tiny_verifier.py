"""A model and heads for it, small enough to read with in a moment."""

import dataclasses

from tts_jax.model import config, head, transformer

V, D, DELIMITER = 11, 16, 3
SHAPE = config.TransformerConfig(
  vocabulary=V,
  width=D,
  layers=1,
  heads=2,
  kv_heads=1,
  head_width=8,
  mlp_width=24,
  max_positions=64,
)
LM = transformer.Transformer(SHAPE)
HEAD = head.HeadConfig(
  input_width=D,
  vocabulary=V,
  width=D,
  token_width=4,
  mlp_width=12,
  delimiters=(DELIMITER,),
  blocks=SHAPE,
)
PREDICTS = dataclasses.replace(HEAD, predicts=True)
BRANCHES = dataclasses.replace(PREDICTS, tap=0)
NO_BLOCKS = dataclasses.replace(HEAD, blocks=None)
