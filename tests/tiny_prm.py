"""Random process reward models in each published format, small."""

import json
import pathlib

import jax
import numpy as np
import safetensors.numpy
import tokenizers

from tts_jax.model import config, huggingface, transformer
from tts_jax.tasks import tokenization

FORMATS = ("qwen_math", "math_shepherd", "rlhflow", "skywork")

_CHAT = (
  "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
  "{{ message['content'] }}<|im_end|>\n{% endfor %}"
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SPECIAL = ("<|end|>", "<|im_start|>", "<|im_end|>", "<extra_0>", "ки")
_TEXT = (
  "Natalia sold clips to 48 of her friends, and then she sold half as many.\n"
  "How many did she sell altogether? Step 1: 48/2 = 24 clips.\n\n"
  "Once upon a time, there was a little girl named Lily.\n\n"
)


def _tokenizer(folder: pathlib.Path) -> int:
  split = tokenizers.pre_tokenizers
  backend = tokenizers.Tokenizer(tokenizers.models.BPE())
  backend.pre_tokenizer = split.ByteLevel(add_prefix_space=False)
  backend.decoder = tokenizers.decoders.ByteLevel()
  backend.train_from_iterator(
    [_TEXT] * 3,
    tokenizers.trainers.BpeTrainer(
      vocab_size=320,
      special_tokens=list(_SPECIAL[:1]),
      initial_alphabet=split.ByteLevel.alphabet(),
      show_progress=False,
    ),
  )
  for token in _SPECIAL[1:]:
    # The tag is an ordinary token, as in the published tokenizer.
    backend.add_tokens(
      [tokenizers.AddedToken(token, special=token != _SPECIAL[-1])]
    )
  backend.save(str(folder / "tokenizer.json"))
  settings = {
    "eos_token": "<|end|>",
    "bos_token": "<|im_start|>",
    "chat_template": _CHAT,
  }
  (folder / "tokenizer_config.json").write_text(json.dumps(settings))
  return tokenization.load(folder).vocabulary


def save(folder: pathlib.Path, format: str, seed: int = 0) -> None:
  """Writes a folder as it is published, with random weights."""
  folder.mkdir(parents=True, exist_ok=True)
  rng = np.random.default_rng(seed)
  switches = {"qkv_bias": True}
  if format == "math_shepherd":
    switches = {"windows": (9, 9)}
  elif format == "rlhflow":
    switches = {}
  lm = transformer.Transformer(
    config.TransformerConfig(
      vocabulary=_tokenizer(folder) + 3,
      width=16,
      layers=2,
      heads=4,
      kv_heads=2,
      head_width=4,
      mlp_width=24,
      max_positions=2048,
      tied=False,
      **switches,
    )
  )
  shapes = jax.eval_shape(lm.init, jax.random.key(0))
  params = jax.tree.map(
    lambda leaf: (0.4 * rng.normal(size=leaf.shape)).astype(np.float32), shapes
  )
  huggingface.save(folder, lm, params)
  extra = {
    "qwen_math": {
      "score.0.weight": (16, 16),
      "score.0.bias": (16,),
      "score.2.weight": (2, 16),
      "score.2.bias": (2,),
    },
    "skywork": {"v_head.summary.weight": (1, 16), "v_head.summary.bias": (1,)},
  }.get(format, {})
  path = folder / "model.safetensors"
  tensors = safetensors.numpy.load_file(path)
  for name, shape in extra.items():
    tensors[name] = (0.3 * rng.normal(size=shape)).astype(np.float32)
  safetensors.numpy.save_file(tensors, path, {"format": "pt"})
