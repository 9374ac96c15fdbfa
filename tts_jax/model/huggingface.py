"""Hugging Face folders of Llama models: `config.json` and safetensors."""

import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from tts_jax import errors, types
from tts_jax.model import config, huggingface_config, transformer

_CONFIG = "config.json"
_SINGLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_EMBEDDING, _OUTPUT = "model.embed_tokens.weight", "lm_head.weight"
_FLOATS = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}


def _shapes(cfg: config.TransformerConfig) -> dict[str, tuple[int, ...]]:
  """Every tensor that a folder of this shape holds."""
  D, M = cfg.width, cfg.mlp_width
  query, shared = cfg.heads * cfg.head_width, cfg.kv_heads * cfg.head_width
  shapes: dict[str, tuple[int, ...]] = {
    _EMBEDDING: (cfg.vocabulary, D),
    "model.norm.weight": (D,),
  }
  if not cfg.tied:
    shapes[_OUTPUT] = (cfg.vocabulary, D)
  for layer in range(cfg.layers):
    prefix = f"model.layers.{layer}."
    shapes |= {
      prefix + "input_layernorm.weight": (D,),
      prefix + "self_attn.q_proj.weight": (query, D),
      prefix + "self_attn.k_proj.weight": (shared, D),
      prefix + "self_attn.v_proj.weight": (shared, D),
      prefix + "self_attn.o_proj.weight": (D, query),
      prefix + "post_attention_layernorm.weight": (D,),
      prefix + "mlp.gate_proj.weight": (M, D),
      prefix + "mlp.up_proj.weight": (M, D),
      prefix + "mlp.down_proj.weight": (D, M),
    }
  return shapes


def _to_params(
  cfg: config.TransformerConfig, tensors: Mapping[str, np.ndarray]
) -> types.Params:
  """The parameters' tree out of a folder's tensors, which are [out, in]."""
  D, K, G, H = cfg.width, cfg.kv_heads, cfg.group, cfg.head_width
  params: dict[str, Any] = {
    "embedding": tensors[_EMBEDDING],
    "final_norm": {"scale": tensors["model.norm.weight"]},
  }
  if not cfg.tied:
    params["unembedding"] = np.ascontiguousarray(tensors[_OUTPUT].T)
  for layer in range(cfg.layers):

    def get(name: str, layer: int = layer) -> np.ndarray:
      return tensors[f"model.layers.{layer}.{name}.weight"]

    projections = [
      get("self_attn.q_proj").T.reshape(D, K, G, H),
      get("self_attn.k_proj").T.reshape(D, K, 1, H),
      get("self_attn.v_proj").T.reshape(D, K, 1, H),
    ]
    gate_up = [get("mlp.gate_proj").T, get("mlp.up_proj").T]
    params[f"layer_{layer}"] = {
      "attention_norm": {"scale": get("input_layernorm")},
      "qkv": np.concatenate(projections, axis=2),
      "out": np.ascontiguousarray(
        get("self_attn.o_proj").T.reshape(K, G, H, D)
      ),
      "mlp_norm": {"scale": get("post_attention_layernorm")},
      "gate_up": np.stack(gate_up, axis=1),
      "down": np.ascontiguousarray(get("mlp.down_proj").T),
    }
  return params


def _to_tensors(
  cfg: config.TransformerConfig, params: types.Params
) -> Iterator[tuple[str, np.ndarray]]:
  """A folder's tensors out of the parameters' tree: `_to_params` undone."""
  D, G = cfg.width, cfg.group
  yield _EMBEDDING, np.asarray(params["embedding"])
  for layer in range(cfg.layers):
    prefix = f"model.layers.{layer}."
    block = {
      name: np.asarray(leaf)
      for name, leaf in params[f"layer_{layer}"].items()
      if not isinstance(leaf, Mapping)
    }
    qkv, out = block["qkv"], block["out"]
    for name, part in (
      ("q", qkv[:, :, :G]),
      ("k", qkv[:, :, G]),
      ("v", qkv[:, :, G + 1]),
    ):
      yield f"{prefix}self_attn.{name}_proj.weight", part.reshape(D, -1).T
    yield prefix + "self_attn.o_proj.weight", out.reshape(-1, D).T
    yield prefix + "mlp.gate_proj.weight", block["gate_up"][:, 0].T
    yield prefix + "mlp.up_proj.weight", block["gate_up"][:, 1].T
    yield prefix + "mlp.down_proj.weight", block["down"].T
    for name, norm in (
      ("input_layernorm", "attention_norm"),
      ("post_attention_layernorm", "mlp_norm"),
    ):
      scale = params[f"layer_{layer}"][norm]["scale"]
      yield f"{prefix}{name}.weight", np.asarray(scale)
  yield "model.norm.weight", np.asarray(params["final_norm"]["scale"])
  if not cfg.tied:
    yield _OUTPUT, np.asarray(params["unembedding"]).T


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
  """The safetensors files of a folder, one or the shards of its index."""
  index = folder / _INDEX
  if not index.exists():
    return [folder / _SINGLE]
  weight_map = huggingface_config.read_json(index).get("weight_map")
  if not isinstance(weight_map, dict) or not weight_map:
    raise errors.InputError(
      f"{index}: field 'weight_map' must map tensors to files"
    )
  return [folder / str(name) for name in sorted(set(weight_map.values()))]


def _read_file(
  path: pathlib.Path, shapes: dict[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
  """A file's tensors, each checked to belong to the model and to fit it."""
  if not path.is_file():
    raise errors.InputError(f"{path}: no such file")
  tensors = {}
  try:
    with safetensors.safe_open(path, framework="np") as file:
      for name in file.keys():  # noqa: SIM118 - the handle is not a mapping.
        if name.endswith("rotary_emb.inv_freq"):
          continue  # Old exports keep this table, which follows from theta.
        view = file.get_slice(name)
        shape, kind = tuple(view.get_shape()), view.get_dtype()
        if name not in shapes:
          raise errors.InputError(
            f"{path}: tensor {name!r} {shape} is not part of the model that "
            f"{_CONFIG} describes"
          )
        if shape != shapes[name]:
          raise errors.InputError(
            f"{path}: tensor {name!r} has shape {shape}; "
            f"{_CONFIG} expects {shapes[name]}"
          )
        if kind not in _FLOATS:
          raise errors.InputError(
            f"{path}: tensor {name!r} is {kind}; "
            f"it must be one of {', '.join(_FLOATS)}"
          )
        tensors[name] = file.get_tensor(name)
        if not np.isfinite(tensors[name]).all():
          raise errors.InputError(
            f"{path}: tensor {name!r} holds NaN or infinity"
          )
  except safetensors.SafetensorError as error:
    raise errors.InputError(
      f"{path}: not a whole safetensors file: {error}"
    ) from error
  return tensors


def load(
  folder: str | pathlib.Path, dtype: str | None = None
) -> tuple[transformer.Transformer, types.Params]:
  """Reads a transformer and its parameters.

  Args:
    folder: holds `config.json` and `model.safetensors`, or the index of its
      shards.
    dtype: "float32" or "bfloat16", of the parameters and of what is computed.
      None: bfloat16 if all the tensors are, float32 otherwise.

  Returns:
    The transformer, and its parameters as numpy arrays: the caller puts them
    on devices, in one piece or in shards.

  Raises:
    errors.InputError: the folder is not whole, is of another model type, or its
      tensors do not fit its config; the message names file, tensor and shape.
  """
  folder = pathlib.Path(folder)
  # The dtype is known once the tensors are read; the shapes do not need it.
  cfg = huggingface_config.read(folder / _CONFIG, dtype or "float32")
  shapes = _shapes(cfg)
  tensors: dict[str, np.ndarray] = {}
  for path in _files(folder):
    # A tied model's output matrix is sometimes written out all the same.
    tensors |= _read_file(
      path, {_OUTPUT: (cfg.vocabulary, cfg.width), **shapes}
    )
  for name, shape in shapes.items():
    if name not in tensors:
      raise errors.InputError(
        f"{folder}: tensor {name!r} is missing; {_CONFIG} expects it with "
        f"shape {shape}"
      )
  copy = tensors.pop(_OUTPUT, None) if cfg.tied else None
  if copy is not None and not np.array_equal(copy, tensors[_EMBEDDING]):
    raise errors.InputError(
      f"{folder}: tensor {_OUTPUT!r} differs from {_EMBEDDING!r}; they must be "
      f"equal, or 'tie_word_embeddings' false in {_CONFIG}"
    )
  if dtype is None:
    half = all(t.dtype == ml_dtypes.bfloat16 for t in tensors.values())
    dtype = "bfloat16" if half else "float32"
    cfg = huggingface_config.read(folder / _CONFIG, dtype)
  numpy_dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
  tensors = {
    name: tensor.astype(numpy_dtype, copy=False)
    for name, tensor in tensors.items()
  }
  return transformer.Transformer(cfg), _to_params(cfg, tensors)


def _shard(
  tensors: Iterator[tuple[str, np.ndarray]], max_bytes: int
) -> list[dict[str, np.ndarray]]:
  """Tensors in order, cut into shards; one larger than a shard is alone."""
  shards: list[dict[str, np.ndarray]] = [{}]
  size = 0
  for name, tensor in tensors:
    if shards[-1] and size + tensor.nbytes > max_bytes:
      shards.append({})
      size = 0
    # The writer takes the buffer as it lies, whatever the strides.
    shards[-1][name] = np.ascontiguousarray(tensor)
    size += tensor.nbytes
  return shards


def save(
  folder: str | pathlib.Path,
  lm: transformer.Transformer,
  params: types.Params,
  *,
  end_token: int | None = None,
  max_shard_bytes: int = 5_000_000_000,
) -> None:
  """Writes a folder that `load` and transformers read.

  Weights of an earlier model in the folder are removed; the tokenizer's files
  are the caller's.

  Args:
    folder: made if it does not exist.
    lm: the transformer.
    params: its parameters; their types are kept.
    end_token: the id that ends a completion, for `config.json`.
    max_shard_bytes: weights larger than this are split over files.
  """
  folder = pathlib.Path(folder)
  folder.mkdir(parents=True, exist_ok=True)
  for old in (*folder.glob("model*.safetensors"), folder / _INDEX):
    old.unlink(missing_ok=True)
  shards = _shard(_to_tensors(lm.config, params), max_shard_bytes)
  names = [_SINGLE]
  if len(shards) > 1:
    count = len(shards)
    names = [
      f"model-{i + 1:05d}-of-{count:05d}.safetensors" for i in range(count)
    ]
    total = sum(t.nbytes for shard in shards for t in shard.values())
    placed = {
      tensor: name
      for name, shard in zip(names, shards, strict=True)
      for tensor in shard
    }
    index = {"metadata": {"total_size": total}, "weight_map": placed}
    text = json.dumps(index, indent=2) + "\n"
    (folder / _INDEX).write_text(text, encoding="utf-8")
  for name, shard in zip(names, shards, strict=True):
    # transformers refuses a file whose metadata lacks the format.
    safetensors.numpy.save_file(shard, folder / name, {"format": "pt"})
  huggingface_config.write(
    folder / _CONFIG,
    lm.config,
    dtype=str(np.asarray(params["embedding"]).dtype),
    end_token=end_token,
  )
