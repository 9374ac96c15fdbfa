"""The `config.json` of a Hugging Face folder, read and written."""

import json
import pathlib
from typing import Any

from tts_jax import errors
from tts_jax.model import config

# The value that each field must have, if it is there: what this project's
# transformer computes.
_FIXED = {
  "hidden_act": "silu",
  "attention_bias": False,
  "mlp_bias": False,
}


def read_json(path: pathlib.Path) -> dict[str, Any]:
  """An object from a JSON file.

  Raises:
    errors.InputError: the file is absent, or not a JSON object.
  """
  try:
    found = json.loads(path.read_text(encoding="utf-8"))
  except FileNotFoundError as error:
    raise errors.InputError(f"{path}: no such file") from error
  except ValueError as error:
    raise errors.InputError(f"{path}: not JSON: {error}") from error
  if not isinstance(found, dict):
    raise errors.InputError(f"{path}: must be a JSON object")
  return found


def _number(
  path: pathlib.Path,
  found: dict[str, Any],
  name: str,
  default: Any = None,
  *,
  whole: bool = True,
) -> Any:
  """A number above 0, an integer if `whole`."""
  value = found.get(name)
  if value is None:
    value = default
  kinds = (int,) if whole else (int, float)
  if isinstance(value, bool) or not isinstance(value, kinds) or value <= 0:
    said = "is missing" if value is None else f"is {value!r}"
    kind = "an integer" if whole else "a number"
    raise errors.InputError(
      f"{path}: field {name!r} {said}; it must be {kind} above 0"
    )
  return value


def _rope(
  path: pathlib.Path, found: dict[str, Any]
) -> tuple[float, config.Llama3Rope | None]:
  """Base and stretching of the rotary frequencies, from where they are written.

  transformers 5 writes `rope_parameters`, earlier ones `rope_scaling` and a
  field `rope_theta` beside it.
  """
  theta, scaling = found.get("rope_theta"), None
  for name in ("rope_scaling", "rope_parameters"):
    fields = found.get(name)
    if fields is None:
      continue
    if not isinstance(fields, dict):
      raise errors.InputError(f"{path}: field {name!r} must be an object")
    kind = fields.get("rope_type", fields.get("type", "default"))
    if kind not in ("default", "llama3"):
      raise errors.InputError(
        f"{path}: field {name!r} asks for rope type {kind!r}; "
        f"only 'default' and 'llama3' are supported"
      )
    theta = fields.get("rope_theta", theta)
    scaling = _llama3(path, name, fields) if kind == "llama3" else None
  theta = _number(
    path, {"rope_theta": theta}, "rope_theta", 10000.0, whole=False
  )
  return float(theta), scaling


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


def read(path: pathlib.Path, dtype: str) -> config.TransformerConfig:
  """The transformer that a `config.json` describes.

  Args:
    path: the file.
    dtype: what to compute in, one of `config.DTYPES`.

  Raises:
    errors.InputError: another model type, a feature that is not supported, or a
      field missing or out of range; the message names file and field.
  """
  found = read_json(path)
  if found.get("model_type") != "llama":
    raise errors.InputError(
      f"{path}: field 'model_type' is {found.get('model_type')!r}; "
      f"only 'llama' is supported"
    )
  for name, want in _FIXED.items():
    if found.get(name, want) != want:
      raise errors.InputError(
        f"{path}: field {name!r} is {found[name]!r}; only {want!r} is supported"
      )
  tied = found.get("tie_word_embeddings", False)
  if not isinstance(tied, bool):
    raise errors.InputError(
      f"{path}: field 'tie_word_embeddings' is {tied!r}; "
      f"it must be true or false"
    )
  width = _number(path, found, "hidden_size")
  heads = _number(path, found, "num_attention_heads")
  try:
    rope_theta, rope_scaling = _rope(path, found)
    return config.TransformerConfig(
      vocabulary=_number(path, found, "vocab_size"),
      width=width,
      layers=_number(path, found, "num_hidden_layers"),
      heads=heads,
      kv_heads=_number(path, found, "num_key_value_heads", heads),
      head_width=_number(path, found, "head_dim", width // heads),
      mlp_width=_number(path, found, "intermediate_size"),
      max_positions=_number(path, found, "max_position_embeddings"),
      rope_theta=rope_theta,
      rope_scaling=rope_scaling,
      norm_eps=float(_number(path, found, "rms_norm_eps", 1e-6, whole=False)),
      tied=tied,
      dtype=dtype,
    )
  except errors.InputError as error:
    if str(path) in str(error):
      raise
    raise errors.InputError(f"{path}: {error}") from error


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
    cfg: the transformer. Its dropout is left out: Llama has none.
    dtype: of the weights beside it.
    end_token: the id that ends a completion. Ids are written even where there
      is none, since transformers would otherwise assume those of Llama.
  """
  rope_scaling = None
  if cfg.rope_scaling is not None:
    rope_scaling = {
      "rope_type": "llama3",
      "factor": cfg.rope_scaling.factor,
      "low_freq_factor": cfg.rope_scaling.low_freq_factor,
      "high_freq_factor": cfg.rope_scaling.high_freq_factor,
      "original_max_position_embeddings": (
        cfg.rope_scaling.original_max_positions
      ),
    }
  fields = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": cfg.vocabulary,
    "hidden_size": cfg.width,
    "intermediate_size": cfg.mlp_width,
    "num_hidden_layers": cfg.layers,
    "num_attention_heads": cfg.heads,
    "num_key_value_heads": cfg.kv_heads,
    "head_dim": cfg.head_width,
    "max_position_embeddings": cfg.max_positions,
    "rms_norm_eps": cfg.norm_eps,
    "rope_theta": cfg.rope_theta,
    "rope_scaling": rope_scaling,
    "tie_word_embeddings": cfg.tied,
    "torch_dtype": dtype,
    "bos_token_id": None,
    "eos_token_id": end_token,
    "pad_token_id": None,
    "use_cache": True,
    **_FIXED,
  }
  path.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
