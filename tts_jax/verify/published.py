"""Published process reward models: Hugging Face folders with their own heads.

Each is a transformer of its own, which reads text in its own format with its
own tokenizer (`formats`). What it makes of a state is the probability that the
step read last is right.
"""

import dataclasses
import datetime
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from tts_jax import errors, hosts, json_input, storage, types
from tts_jax.model import config, huggingface, transformer
from tts_jax.tasks import chat, tokenization
from tts_jax.verify import formats

# What a chat template that asks for today's date is told: scores must not
# change overnight.
DATE = datetime.date(2024, 7, 26)

_PADDED = 128  # tokens: the unit of a text scored from scratch.

# (head, states [..., D]) -> probabilities [...] float32.
Probability = Callable[[types.Params, chex.Array], chex.Array]
_How = Mapping[str, Any]  # Of `huggingface.load`.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Published:
  """A process reward model.

  Attributes:
    lm: its backbone.
    params: {"backbone", "head"}.
    format: how it is shown solutions.
    probability: its head.
    folder: that it was read from.
  """

  lm: transformer.Transformer
  params: types.Params
  format: formats.Format
  probability: Probability
  folder: pathlib.Path


def _classes(head: types.Params, states: chex.Array) -> chex.Array:
  """Two classes, wrong and right, above one hidden layer."""
  x = states.astype(jnp.float32)
  x = jax.nn.relu(x @ head["score.0.weight"].T + head["score.0.bias"])
  logits = x @ head["score.2.weight"].T + head["score.2.bias"]
  return jax.nn.softmax(logits, axis=-1)[..., 1]


def _value(head: types.Params, states: chex.Array) -> chex.Array:
  """One number, the logit of right."""
  x = states.astype(jnp.float32)
  logit = x @ head["v_head.summary.weight"].T + head["v_head.summary.bias"]
  return jax.nn.sigmoid(logit[..., 0])


def _tokens(head: types.Params, states: chex.Array) -> chex.Array:
  """The probability of one token against another."""
  logits = jnp.einsum(
    "...d,dv->...v",
    states,
    head["columns"].astype(states.dtype),
    preferred_element_type=jnp.float32,
  )
  return jax.nn.softmax(logits, axis=-1)[..., 0]


def _class_shapes(
  cfg: config.TransformerConfig,
) -> Mapping[str, tuple[int, ...]]:
  D = cfg.width
  return {
    "score.0.weight": (D, D),
    "score.0.bias": (D,),
    "score.2.weight": (2, D),
    "score.2.bias": (2,),
  }


def _value_shapes(
  cfg: config.TransformerConfig,
) -> Mapping[str, tuple[int, ...]]:
  return {
    "v_head.summary.weight": (1, cfg.width),
    "v_head.summary.bias": (1,),
  }


def _column_shapes(
  cfg: config.TransformerConfig,
) -> Mapping[str, tuple[int, ...]]:
  return {"columns": (cfg.width, 2)}


def _columns(
  lm: transformer.Transformer, params: types.Params, tokens: list[int]
) -> types.Params:
  """The output matrix's columns of some tokens."""
  if lm.config.logit_cap is not None:
    raise errors.InputError(
      "a verifier whose logits are capped is not supported"
    )
  if lm.config.tied:
    return {"columns": hosts.whole(params["embedding"])[tokens].T}
  return {"columns": hosts.whole(params["unembedding"])[:, tokens]}


def _qwen_math(
  folder: pathlib.Path, tokenizer: tokenization.Tokenizer, how: _How
) -> Published:
  lm, params, head = huggingface.load_with_head(folder, _class_shapes, **how)
  return Published(
    lm=lm,
    params={"backbone": params, "head": head},
    format=formats.QwenMath(tokenizer, chat.load(folder, DATE)),
    probability=_classes,
    folder=folder,
  )


def _skywork(
  folder: pathlib.Path, tokenizer: tokenization.Tokenizer, how: _How
) -> Published:
  lm, params, head = huggingface.load_with_head(folder, _value_shapes, **how)
  settings = json_input.read_object(folder / tokenization.CONFIG_FILE)
  start = tokenization.special_token(settings, "bos_token")
  return Published(
    lm=lm,
    params={"backbone": params, "head": head},
    format=formats.Skywork(tokenizer, start or ""),
    probability=_value,
    folder=folder,
  )


def _of_tokens(
  folder: pathlib.Path,
  tokenizer: tokenization.Tokenizer,
  how: _How,
  found: formats.Format,
) -> Published:
  lm, params = huggingface.load(folder, **how)
  # As the published code finds them: of "+" the last token that it makes.
  signs = [tokenizer.encode(sign)[-1] for sign in ("+", "-")]
  if signs[0] == signs[1]:
    raise errors.InputError(
      f"{folder}: its tokenizer has no tokens for '+' and '-', whose"
      " probabilities are the scores; is it of this format?"
    )
  head = _columns(lm, params, signs)
  return Published(
    lm=lm,
    params={"backbone": params, "head": head},
    format=found,
    probability=_tokens,
    folder=folder,
  )


def _math_shepherd(
  folder: pathlib.Path, tokenizer: tokenization.Tokenizer, how: _How
) -> Published:
  return _of_tokens(folder, tokenizer, how, formats.MathShepherd(tokenizer))


def _rlhflow(
  folder: pathlib.Path, tokenizer: tokenization.Tokenizer, how: _How
) -> Published:
  form = formats.RlhFlow(tokenizer, chat.load(folder, DATE))
  return _of_tokens(folder, tokenizer, how, form)


_LOADERS = {
  "qwen_math": _qwen_math,
  "math_shepherd": _math_shepherd,
  "rlhflow": _rlhflow,
  "skywork": _skywork,
}
FORMATS = tuple(_LOADERS)
_HEADS = {
  "qwen_math": (_class_shapes, _classes),
  "math_shepherd": (_column_shapes, _tokens),
  "rlhflow": (_column_shapes, _tokens),
  "skywork": (_value_shapes, _value),
}


def head(
  name: str, cfg: config.TransformerConfig
) -> tuple[Mapping[str, tuple[int, ...]], Probability]:
  """The shapes of a head's arrays, float32, and what it makes of states.

  Args:
    name: of a format, one of `FORMATS`.
    cfg: of the backbone.
  """
  shapes, probability = _HEADS[name]
  return shapes(cfg), probability


def load(
  folder: str | pathlib.Path,
  name: str,
  dtype: str | None = None,
  *,
  mesh: jax.sharding.Mesh | None = None,
  progress: huggingface.Progress | None = None,
) -> Published:
  """Reads a published process reward model.

  Args:
    folder: a Hugging Face folder with its tokenizer.
    name: of its format, one of `FORMATS`.
    dtype: as for `huggingface.load`.
    mesh: as for `huggingface.load`; the head is on no mesh.
    progress: as for `huggingface.load`.

  Returns:
    It.

  Raises:
    errors.InputError: there is no such format; the folder is not whole, lacks
      the head, the template or the separator of the format.
  """
  if name not in _LOADERS:
    raise errors.InputError(
      f"config.prm.format {name!r}: must be one of {', '.join(FORMATS)}"
    )
  folder = storage.fetched(folder)
  tokenizer = tokenization.load(folder)
  how = {"dtype": dtype, "mesh": mesh, "progress": progress}
  found = _LOADERS[name](folder, tokenizer, how)
  if tokenizer.vocabulary > found.lm.vocabulary:
    raise errors.InputError(
      f"{folder}: the tokenizer has {tokenizer.vocabulary} tokens, the model"
      f" {found.lm.vocabulary}; they are not of one folder"
    )
  return found


def score(
  prm: Published, question: str, steps: list[str]
) -> tuple[np.ndarray, int]:
  """Scores one solution from scratch, not compiled: the plain definition.

  Args:
    prm: the verifier.
    question: without a prompt.
    steps: R of them.

  Returns:
    ([R] float32 probabilities, tokens read).
  """
  found = prm.format.encode(question, steps)
  # Padded, so that there are few shapes; what stands behind is not seen.
  tokens = np.zeros((1, -(-len(found.tokens) // _PADDED) * _PADDED), np.int32)
  tokens[0, : len(found.tokens)] = found.tokens
  output = prm.lm.forward(prm.params["backbone"], jnp.asarray(tokens))
  probability = prm.probability(prm.params["head"], output.hidden[0])
  return np.asarray(probability, np.float32)[found.ends], len(found.tokens)
