"""A tiny model of arithmetic that states a digit as its answer, or none.

What it says next depends on its last token alone: half of its lines begin with
the mark of an answer, the others with a digit; a digit ends what it says, or a
line, at even odds.
"""

import math
import pathlib

import jax
import numpy as np
import tiny_model

from tts_jax.model import huggingface, transformer
from tts_jax.tasks import tokenization
from tts_jax.verify import reward, saved

_DIGITS = "0123456789"
# From a kind of token to what follows it, and how likely.
_NEXT = {
  "\n": {"####": 0.5, _DIGITS: 0.5},
  "####": {" ": 1.0},
  " ": {_DIGITS: 1.0},
  _DIGITS: {"end": 0.5, "\n": 0.5},
}


def save(folder: pathlib.Path) -> None:
  """Writes weights, config and tokenizer."""
  tiny_model.save(folder)
  tokenizer = tokenization.load(folder)
  drawn, _ = huggingface.load(folder)
  config = transformer.config.TransformerConfig(
    **{**vars(drawn.config), "tied": False}
  )
  lm = transformer.Transformer(config)
  params = lm.init(jax.random.key(0))
  params["layer_0"] = jax.tree.map(np.zeros_like, params["layer_0"])
  embedding = np.zeros((config.vocabulary, config.width), np.float32)
  # A token of no kind is as a newline.
  embedding[:, 0] = 1.0
  unembedding = np.full((config.width, config.vocabulary), -5.0, np.float32)
  for kind, (name, following) in enumerate(_NEXT.items()):
    for token in _tokens(tokenizer, name):
      embedding[token] = np.eye(config.width)[kind]
    for after, chance in following.items():
      mine = _tokens(tokenizer, after)
      # The final norm makes the state as long as the root of its width.
      unembedding[kind, mine] = math.log(chance / len(mine)) / math.sqrt(
        config.width
      )
  params["embedding"], params["unembedding"] = embedding, unembedding
  huggingface.save(folder, lm, params, end_token=tokenizer.end_token)


def save_verifier(folder: pathlib.Path, model: pathlib.Path) -> None:
  """Writes a verifier of the model, as it is drawn."""
  lm, _ = huggingface.load(model)
  delimiters = tokenization.load(model).tokens_with("\n")
  shape = dict(layers=1, width=16, token_width=4, mlp_width=8, predicts=True)
  judge = reward.above(lm, delimiters, **shape)
  saved.save(folder, judge, judge.init(jax.random.key(0)), saved.origin(model))


def _tokens(tokenizer: tokenization.Tokenizer, name: str) -> list[int]:
  if name == "end":
    return [tokenizer.end_token]
  if name == _DIGITS:
    return [token for digit in name for token in tokenizer.encode(digit)]
  return tokenizer.encode(name)
