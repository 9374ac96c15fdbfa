"""The `config.json` of a Hugging Face folder, read and written."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

from tts_jax import errors, json_input
from tts_jax.model import config, families

_SLIDING, _FULL = "sliding_attention", "full_attention"
# Beyond these a number is a slip, which would take all memory before it showed.
_MOST_LAYERS, _MOST = 10_000, 2**31


def _number(
  path: pathlib.Path,
  found: dict[str, Any],
  name: str,
  default: Any = None,
  *,
  whole: bool = True,
  most: int = _MOST,
) -> Any:
  """A number above 0 and at most `most`, an integer if `whole`."""
  value = found.get(name)
  if value is None:
    value = default
  kinds = (int,) if whole else (int, float)
  if type(value) not in kinds or not 0 < value <= most:
    said = "is missing" if value is None else f"is {value!r}"
    kind = "an integer" if whole else "a number"
    raise errors.InputError(
      f"{path}: field {name!r} {said}; it must be {kind} above 0"
      f" and at most {most}"
    )
  return value


def _rope(path: pathlib.Path, found: dict[str, Any]) -> dict[str, Any]:
  """What sets the rotary frequencies, as fields of the transformer's config.

  transformers 5 writes `rope_parameters`, earlier ones `rope_scaling` and a
  field `rope_theta` beside it. Where layers rotate otherwise that have a
  window, the first holds an object for each kind of layer, and a field
  `rope_local_base_freq` stands beside the others.
  """
  theta, local = found.get("rope_theta"), found.get("rope_local_base_freq")
  stretched: dict[str, Any] = {}
  for name in ("rope_scaling", "rope_parameters"):
    fields = found.get(name)
    if fields is None:
      continue
    if isinstance(fields, dict) and _FULL in fields:
      other = fields.get(_SLIDING)
      if isinstance(other, dict):
        local = other.get("rope_theta", local)
        _stretching(path, f"{name}.{_SLIDING}", other, only=("default",))
      name, fields = f"{name}.{_FULL}", fields[_FULL]
    if not isinstance(fields, dict):
      raise errors.InputError(f"{path}: field {name!r} must be an object")
    theta = fields.get("rope_theta", theta)
    stretched = _stretching(path, name, fields)
  bases = {"rope_theta": theta, "rope_local_base_freq": local}
  read = {
    "rope_theta": float(
      _number(path, bases, "rope_theta", 10000.0, whole=False)
    )
  }
  if local is not None:
    base = _number(path, bases, "rope_local_base_freq", whole=False)
    read["local_rope_theta"] = float(base)
  return read | stretched


def _stretching(
  path: pathlib.Path,
  name: str,
  fields: dict[str, Any],
  only: tuple[str, ...] = ("default", "linear", "llama3"),
) -> dict[str, Any]:
  """How an object of the config stretches rotations."""
  kind = fields.get("rope_type", fields.get("type", "default"))
  if kind not in only:
    raise errors.InputError(
      f"{path}: field {name!r} asks for rope type {kind!r}; supported:"
      f" {', '.join(map(repr, only))}"
    )
  if kind == "default":
    return {}
  if kind == "llama3":
    return {"rope_scaling": _llama3(path, name, fields)}
  inner = {f"{name}.factor": fields.get("factor")}
  factor = _number(path, inner, f"{name}.factor", whole=False)
  return {"rope_factor": float(factor)}


def _llama3(
  path: pathlib.Path, outer: str, fields: dict[str, Any]
) -> config.Llama3Rope:
  """The fields of rope type "llama3", which has no defaults."""
  inner = {f"{outer}.{name}": value for name, value in fields.items()}

  def number(name: str, *, whole: bool) -> Any:
    return _number(path, inner, f"{outer}.{name}", whole=whole)

  return config.Llama3Rope(
    factor=float(number("factor", whole=False)),
    low_freq_factor=float(number("low_freq_factor", whole=False)),
    high_freq_factor=float(number("high_freq_factor", whole=False)),
    original_max_positions=number(
      "original_max_position_embeddings", whole=True
    ),
  )


def _windows(
  path: pathlib.Path, kind: str, found: dict[str, Any], layers: int
) -> tuple[int | None, ...]:
  """What each layer sees; empty where every one sees all."""
  allowed = "windows" in families.FAMILIES[kind].optional
  off = found.get("use_sliding_window") is False
  if not allowed or off or found.get("sliding_window") is None:
    return ()
  size = _number(path, found, "sliding_window")
  kinds = found.get("layer_types")
  if kinds is None:
    every, first = (
      # 0 says nothing of the kind.
      found.get(name) and _number(path, found, name)
      for name in ("sliding_window_pattern", "max_window_layers")
    )
    kinds = [
      _FULL
      if (every and (i + 1) % every == 0) or i < (first or 0)
      else _SLIDING
      for i in range(layers)
    ]
  if (
    not isinstance(kinds, list)
    or len(kinds) != layers
    or not all(one in (_SLIDING, _FULL) for one in kinds)
  ):
    raise errors.InputError(
      f"{path}: field 'layer_types' is {kinds!r}; it must name one of"
      f" {_SLIDING!r} and {_FULL!r} for each of {layers} layers"
    )
  windows = tuple(size if one == _SLIDING else None for one in kinds)
  return windows if any(windows) else ()


def _caps(
  path: pathlib.Path, kind: str, found: dict[str, Any], head_width: int
) -> dict[str, Any]:
  """Scale and bounds of scores and logits."""
  if "logit_cap" not in families.FAMILIES[kind].optional:
    return {}
  scalar = _number(path, found, "query_pre_attn_scalar", whole=False)
  read: dict[str, Any] = {}
  if scalar != head_width:
    read["attention_scale"] = float(scalar) ** -0.5
  for field, name in (
    ("attn_logit_softcapping", "attention_cap"),
    ("final_logit_softcapping", "logit_cap"),
  ):
    if found.get(field) is not None:
      read[name] = float(_number(path, found, field, whole=False))
  return read


def reads_images(found: Mapping[str, Any]) -> bool:
  """Whether a `config.json` is of a model that reads images beside text."""
  kind = found.get("model_type")
  return isinstance(kind, str) and kind in families.WITH_IMAGES


def read(path: pathlib.Path, dtype: str) -> config.TransformerConfig:
  """The transformer that a `config.json` describes.

  Args:
    path: the file.
    dtype: what to compute in, one of `config.DTYPES`.

  Raises:
    errors.InputError: another model type, a feature that is not supported, or a
      field missing or out of range; the message names file and field.
  """
  found = json_input.read_object(path)
  if reads_images(found):
    text = found.get("text_config")
    if not isinstance(text, dict):
      raise errors.InputError(f"{path}: field 'text_config' must be an object")
    inner = families.WITH_IMAGES[found["model_type"]]
    found = {"model_type": inner, **text}
  kind = found.get("model_type")
  if not isinstance(kind, str) or kind not in families.FAMILIES:
    raise errors.InputError(
      f"{path}: field 'model_type' is {kind!r}; supported:"
      f" {', '.join(map(repr, families.FAMILIES))}"
    )
  family = families.FAMILIES[kind]
  for name, want in family.fixed.items():
    if found.get(name, want) not in (want, None):
      raise errors.InputError(
        f"{path}: field {name!r} is {found[name]!r}; only {want!r} is supported"
      )
  found = {**family.defaults, **found}
  activation = found.get(family.activation, "silu")
  want = family.switches.get("activation", "silu")
  known = isinstance(activation, str) and families.ACTIVATIONS.get(activation)
  if known != want:
    raise errors.InputError(
      f"{path}: field {family.activation!r} is {activation!r}; only the"
      f" activation of {kind}, {want!r}, is supported"
    )
  tied = found.get("tie_word_embeddings", False)
  if not isinstance(tied, bool):
    raise errors.InputError(
      f"{path}: field 'tie_word_embeddings' is {tied!r}; "
      f"it must be true or false"
    )
  width = _number(path, found, "hidden_size")
  heads = _number(path, found, "num_attention_heads")
  layers = _number(path, found, "num_hidden_layers", most=_MOST_LAYERS)
  head_width = _number(path, found, "head_dim", width // heads)
  try:
    return config.TransformerConfig(
      vocabulary=_number(path, found, "vocab_size"),
      width=width,
      layers=layers,
      heads=heads,
      kv_heads=_number(path, found, "num_key_value_heads", heads),
      head_width=head_width,
      mlp_width=_number(path, found, "intermediate_size"),
      max_positions=_number(path, found, "max_position_embeddings"),
      norm_eps=float(_number(path, found, "rms_norm_eps", 1e-6, whole=False)),
      tied=tied,
      dtype=dtype,
      windows=_windows(path, kind, found, layers),
      **_rope(path, found),
      **_caps(path, kind, found, head_width),
      **family.switches,
    )
  except errors.InputError as error:
    if str(path) in str(error):
      raise
    raise errors.InputError(f"{path}: {error}") from error


def _written_rope(cfg: config.TransformerConfig) -> dict[str, Any]:
  scaling: dict[str, Any] | None = None
  if cfg.rope_factor != 1:
    scaling = {"rope_type": "linear", "factor": cfg.rope_factor}
  if cfg.rope_scaling is not None:
    rope = cfg.rope_scaling
    scaling = {
      "rope_type": "llama3",
      "factor": rope.factor,
      "low_freq_factor": rope.low_freq_factor,
      "high_freq_factor": rope.high_freq_factor,
      "original_max_position_embeddings": rope.original_max_positions,
    }
  return {"rope_theta": cfg.rope_theta, "rope_scaling": scaling}


def _written_options(
  cfg: config.TransformerConfig, kind: str
) -> dict[str, Any]:
  """The fields that only some families have."""
  optional = families.FAMILIES[kind].optional
  fields: dict[str, Any] = {}
  if "windows" in optional:
    windows = cfg.windows or (None,) * cfg.layers
    fields["sliding_window"] = next(filter(None, windows), None)
    if kind != "mistral":
      fields["layer_types"] = [_SLIDING if w else _FULL for w in windows]
    if kind.startswith("qwen"):
      # Where it is true, it stands for the layers from this one on.
      fields["use_sliding_window"] = any(windows)
      fields["max_window_layers"] = 0 if any(windows) else cfg.layers
  if "local_rope_theta" in optional:
    fields["rope_local_base_freq"] = cfg.local_rope_theta or cfg.rope_theta
  if "logit_cap" in optional:
    scale = cfg.attention_scale or cfg.head_width**-0.5
    fields["query_pre_attn_scalar"] = round(scale**-2)
    if "attention_cap" in optional:
      fields["attn_logit_softcapping"] = cfg.attention_cap
    fields["final_logit_softcapping"] = cfg.logit_cap
  return fields


def write(
  path: pathlib.Path,
  cfg: config.TransformerConfig,
  *,
  dtype: str,
  end_token: int | None,
) -> None:
  """Writes a `config.json` that transformers reads.

  Args:
    path: the file.
    cfg: the transformer. Its dropout is left out: published families have none.
    dtype: of the weights beside it.
    end_token: the id that ends a completion. Ids are written even where there
      is none, since transformers would otherwise assume those of the family.

  Raises:
    errors.InputError: no published family has all that the transformer has.
  """
  kind = families.find(cfg)
  family = families.FAMILIES[kind]
  names: Mapping[str, str] = {v: k for k, v in families.ACTIVATIONS.items()}
  fields = {
    "architectures": [family.architecture],
    "model_type": kind,
    "vocab_size": cfg.vocabulary,
    "hidden_size": cfg.width,
    "intermediate_size": cfg.mlp_width,
    "num_hidden_layers": cfg.layers,
    "num_attention_heads": cfg.heads,
    "num_key_value_heads": cfg.kv_heads,
    "head_dim": cfg.head_width,
    "max_position_embeddings": cfg.max_positions,
    "rms_norm_eps": cfg.norm_eps,
    **_written_rope(cfg),
    "tie_word_embeddings": cfg.tied,
    "torch_dtype": dtype,
    "bos_token_id": None,
    "eos_token_id": end_token,
    "pad_token_id": None,
    "use_cache": True,
    family.activation: names[cfg.activation],
    **_written_options(cfg, kind),
    **family.fixed,
  }
  path.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
