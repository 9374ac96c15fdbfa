"""The published families of models, as switches of the one transformer.

A family is a `model_type` of a Hugging Face `config.json`: which switches of
`config.TransformerConfig` it sets, which fields it may set, what its fields are
when they are left out, and which it must not set otherwise.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tts_jax import errors
from tts_jax.model import config

# Fields of `config.TransformerConfig` that a family may be without.
_OPTIONAL = (
  "rope_scaling",
  "rope_factor",
  "local_rope_theta",
  "windows",
  "attention_scale",
  "attention_cap",
  "logit_cap",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Family:
  """One `model_type`.

  Attributes:
    architecture: the class of transformers that reads it.
    switches: fields of `config.TransformerConfig` that the type alone sets.
    optional: fields of it that a `config.json` of the type may set.
    fixed: fields of `config.json` that must have this value, if they are there.
    defaults: what fields of `config.json` are where they are left out.
    activation: the field of `config.json` that names the activation.
  """

  architecture: str
  switches: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  optional: tuple[str, ...] = ("rope_scaling", "rope_factor")
  fixed: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  activation: str = "hidden_act"


# Its config holds that of its text model in a field; its tensors have a prefix
# more, and stand beside those that read images, which are passed over.
WITH_IMAGES = {"gemma3": "gemma3_text"}

_NO_BIAS = {"attention_bias": False}
_GEMMA = {
  "activation": "gelu_tanh",
  "post_norms": True,
  "norm_offset": True,
  "scaled_embedding": True,
}
_GEMMA_DEFAULTS = {
  "hidden_activation": "gelu_pytorch_tanh",
  "num_attention_heads": 8,
  "num_key_value_heads": 4,
  "head_dim": 256,
  "query_pre_attn_scalar": 256,
  "sliding_window": 4096,
  "tie_word_embeddings": True,
}

# In the order in which a transformer's family is looked for: the first that has
# its switches and allows its other fields.
FAMILIES: Mapping[str, Family] = {
  "llama": Family(
    architecture="LlamaForCausalLM", fixed=_NO_BIAS | {"mlp_bias": False}
  ),
  "mistral": Family(
    architecture="MistralForCausalLM",
    optional=("rope_scaling", "rope_factor", "windows"),
    defaults={"num_key_value_heads": 8, "sliding_window": 4096},
  ),
  "qwen2": Family(
    architecture="Qwen2ForCausalLM",
    switches={"qkv_bias": True},
    optional=("rope_scaling", "rope_factor", "windows"),
    defaults={
      "max_window_layers": 28,
      "sliding_window": 4096,
      "use_sliding_window": False,
    },
  ),
  "qwen3": Family(
    architecture="Qwen3ForCausalLM",
    switches={"qk_norm": True},
    optional=("rope_scaling", "rope_factor", "windows"),
    fixed=_NO_BIAS,
    defaults={
      "head_dim": 128,
      "max_window_layers": 28,
      "sliding_window": 4096,
      "use_sliding_window": False,
    },
  ),
  "gemma2": Family(
    architecture="Gemma2ForCausalLM",
    switches=_GEMMA,
    optional=tuple(name for name in _OPTIONAL if name != "local_rope_theta"),
    fixed=_NO_BIAS | {"use_bidirectional_attention": False},
    defaults=_GEMMA_DEFAULTS
    | {
      "max_position_embeddings": 8192,
      "sliding_window_pattern": 2,
      "attn_logit_softcapping": 50.0,
      "final_logit_softcapping": 30.0,
    },
    activation="hidden_activation",
  ),
  "gemma3_text": Family(
    architecture="Gemma3ForCausalLM",
    switches=_GEMMA | {"qk_norm": True},
    optional=tuple(name for name in _OPTIONAL if name != "attention_cap"),
    # transformers has a field for a cap on scores too, and does not read it.
    fixed=_NO_BIAS
    | {"use_bidirectional_attention": False, "attn_logit_softcapping": None},
    defaults=_GEMMA_DEFAULTS
    | {
      "vocab_size": 262_208,
      "max_position_embeddings": 131_072,
      "sliding_window_pattern": 6,
      "rope_theta": 1_000_000.0,
      "rope_local_base_freq": 10_000.0,
    },
    activation="hidden_activation",
  ),
}

# What transformers calls an activation: one of `config.ACTIVATIONS`.
ACTIVATIONS = {"silu": "silu", "gelu_pytorch_tanh": "gelu_tanh"}


def find(cfg: config.TransformerConfig) -> str:
  """The `model_type` of a transformer, for export.

  Raises:
    errors.InputError: no published family has all that it has.
  """
  defaults = {field.name: field.default for field in dataclasses.fields(cfg)}
  named = {name for family in FAMILIES.values() for name in family.switches}
  sizes = {window for window in cfg.windows if window is not None}
  extra = {name for name in _OPTIONAL if getattr(cfg, name) != defaults[name]}
  if not sizes:
    extra.discard("windows")
  for kind, family in FAMILIES.items():
    switches = {name: defaults[name] for name in named} | dict(family.switches)
    if any(getattr(cfg, name) != value for name, value in switches.items()):
      continue
    # Mistral's window is every layer's.
    uneven = kind == "mistral" and len(set(cfg.windows)) > 1
    if extra <= set(family.optional) and len(sizes) <= 1 and not uneven:
      return kind
  raise errors.InputError(
    f"no family of {', '.join(FAMILIES)} has all that this model has: {cfg}"
  )
