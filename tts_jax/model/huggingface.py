"""Hugging Face folders: `config.json` and safetensors.

Weights stream: parameter by parameter from the files to where they are wanted.
"""

import contextlib
import dataclasses
import json
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from tts_jax import errors, json_input, sharding, storage, types
from tts_jax.model import config, huggingface_config, layout, transformer

_CONFIG = "config.json"
_SINGLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_FLOATS = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}
_ROWS = 4096  # of a tensor, that are looked at together.
# Where models that read images keep their text model, and what is not of it.
_NESTED = {"language_model.": "", "model.language_model.": "model."}
_IMAGES = ("vision_tower.", "multi_modal_projector.")

# (bytes read, bytes to read), after each parameter.
Progress = Callable[[int, int], None]


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
  """The safetensors files of a folder, one or the shards of its index."""
  index = folder / _INDEX
  if not index.exists():
    return [folder / _SINGLE]
  weight_map = json_input.read_object(index).get("weight_map")
  names = weight_map.values() if isinstance(weight_map, dict) else ()
  if not names or not all(isinstance(name, str) for name in names):
    raise errors.InputError(
      f"{index}: field 'weight_map' must map tensors to files"
    )
  return [folder / name for name in sorted(set(names))]


@dataclasses.dataclass(frozen=True)
class _Stored:
  """A tensor in an open file."""

  path: pathlib.Path
  name: str
  file: Any
  dtype: str

  def read(self) -> np.ndarray:
    """The tensor.

    Raises:
      errors.InputError: it holds NaN or infinity.
    """
    tensor: np.ndarray = self.file.get_tensor(self.name)
    for start in range(0, len(tensor), _ROWS):
      if not np.isfinite(tensor[start : start + _ROWS]).all():
        raise errors.InputError(
          f"{self.path}: tensor {self.name!r} holds NaN or infinity"
        )
    return tensor

  def rows(self) -> Iterator[np.ndarray]:
    """The rows of a matrix, some at a time."""
    whole = self.file.get_slice(self.name)
    count = whole.get_shape()[0]
    for start in range(0, count, _ROWS):
      yield whole[start : min(start + _ROWS, count)]


def _open(
  path: pathlib.Path,
  shapes: Mapping[str, tuple[int, ...]],
  stack: contextlib.ExitStack,
  *,
  nested: bool,
) -> dict[str, _Stored]:
  """A file's tensors, each checked to belong to the model and to fit it."""
  if not path.is_file():
    raise errors.InputError(f"{path}: no such file")
  try:
    file = stack.enter_context(safetensors.safe_open(path, framework="np"))
  except safetensors.SafetensorError as error:
    raise errors.InputError(
      f"{path}: not a whole safetensors file: {error}"
    ) from error
  found = {}
  for stored in file.keys():  # noqa: SIM118 - the handle is not a mapping.
    name = _plain(stored) if nested else stored
    if name is None or name.endswith("rotary_emb.inv_freq"):
      continue  # Old exports keep this table, which follows from theta.
    view = file.get_slice(stored)
    shape, kind = tuple(view.get_shape()), view.get_dtype()
    if name not in shapes:
      raise errors.InputError(
        f"{path}: tensor {stored!r} {shape} is not part of the model that "
        f"{_CONFIG} describes"
      )
    if shape != shapes[name]:
      raise errors.InputError(
        f"{path}: tensor {stored!r} has shape {shape}; "
        f"{_CONFIG} expects {shapes[name]}"
      )
    if kind not in _FLOATS:
      raise errors.InputError(
        f"{path}: tensor {stored!r} is {kind}; "
        f"it must be one of {', '.join(_FLOATS)}"
      )
    found[name] = _Stored(path, stored, file, _FLOATS[kind])
  return found


def _plain(name: str) -> str | None:
  """A tensor's name without its prefix; None where it is not the text's."""
  if name.removeprefix("model.").startswith(_IMAGES):
    return None
  for prefix, instead in _NESTED.items():
    if name.startswith(prefix):
      return instead + name.removeprefix(prefix)
  return name


def _check_copy(
  folder: pathlib.Path, copy: _Stored | None, embedding: _Stored
) -> None:
  """A tied model's output matrix is sometimes written out all the same."""
  if copy is None:
    return
  pairs = zip(copy.rows(), embedding.rows(), strict=True)
  if not all(np.array_equal(*pair) for pair in pairs):
    raise errors.InputError(
      f"{folder}: tensor {layout.OUTPUT!r} differs from"
      f" {layout.EMBEDDING!r}; they must be equal, or 'tie_word_embeddings'"
      f" false in {_CONFIG}"
    )


def _assemble(
  leaf: layout.Leaf, tensors: Mapping[str, _Stored], dtype: np.dtype
) -> np.ndarray:
  """A parameter; one made of a single tensor is a view of it."""
  if len(leaf.parts) == 1:
    (part,) = leaf.parts
    tensor = tensors[part.name].read().astype(dtype, copy=False)
    return (tensor if part.upright else tensor.T).reshape(leaf.shape)
  whole = np.empty(leaf.shape, dtype)
  for part in leaf.parts:
    part.put(tensors[part.name].read(), whole)
  return whole


def load(
  folder: str | pathlib.Path,
  dtype: str | None = None,
  *,
  mesh: jax.sharding.Mesh | None = None,
  progress: Progress | None = None,
) -> tuple[transformer.Transformer, types.Params]:
  """Reads a transformer and its parameters.

  Parameters are read one after the other; on a mesh, the host holds one of them
  and the tensor that is put into it, beside what its own devices hold.

  Args:
    folder: has `config.json` and `model.safetensors` or its shards' index.
    dtype: "float32" or "bfloat16", of the parameters and of products; attention
      is as `config.suited`. None: bfloat16 if all tensors are, or float32.
    mesh: to put parameters on, split by `sharding.RULES`; None: numpy arrays.
    progress: told how far it is.

  Returns:
    The transformer, and its parameters.

  Raises:
    errors.InputError: the folder is not whole, is of a family that is not
      supported, or its tensors do not fit its config; the message names file,
      tensor and shape.

  Example:
    >>> from tts_jax.model import embedded
    >>> lm, params = tts.load_model(embedded.FOLDER)
    >>> lm.config.vocabulary == len(params["embedding"])
    True
  """
  folder = storage.fetched(folder)
  # The dtype is known once the files are open; the shapes do not need it.
  cfg = huggingface_config.read(folder / _CONFIG, dtype or "float32")
  output = {layout.OUTPUT: (cfg.vocabulary, cfg.width)}
  with _opened(folder, cfg, {}, output) as tensors:
    if cfg.tied:
      copy = tensors.pop(layout.OUTPUT, None)
      _check_copy(folder, copy, tensors[layout.EMBEDDING])
    return _stream(cfg, tensors, dtype, mesh, progress)


def load_with_head(
  folder: str | pathlib.Path,
  head: Callable[[config.TransformerConfig], Mapping[str, tuple[int, ...]]],
  dtype: str | None = None,
  *,
  mesh: jax.sharding.Mesh | None = None,
  progress: Progress | None = None,
) -> tuple[transformer.Transformer, types.Params, dict[str, np.ndarray]]:
  """Reads a transformer that has a head in its output matrix's place.

  An output matrix that stands in the folder all the same is passed over; the
  transformer's logits, by its embedding, mean nothing.

  Args:
    folder: as for `load`.
    head: from the transformer's shape to the head's tensors and their shapes.
    dtype: as for `load`.
    mesh: as for `load`.
    progress: as for `load`.

  Returns:
    The transformer, its parameters, and the head's tensors, float32.

  Raises:
    errors.InputError: as `load`.
  """
  folder = storage.fetched(folder)
  cfg = huggingface_config.read(folder / _CONFIG, dtype or "float32")
  cfg = dataclasses.replace(cfg, tied=True)
  output = {layout.OUTPUT: (cfg.vocabulary, cfg.width)}
  with _opened(folder, cfg, head(cfg), output) as tensors:
    tensors.pop(layout.OUTPUT, None)
    read = {name: tensors.pop(name).read() for name in head(cfg)}
    lm, params = _stream(cfg, tensors, dtype, mesh, progress)
  wide = {name: tensor.astype(np.float32) for name, tensor in read.items()}
  return lm, params, wide


@contextlib.contextmanager
def _opened(
  folder: pathlib.Path,
  cfg: config.TransformerConfig,
  extra: Mapping[str, tuple[int, ...]],
  optional: Mapping[str, tuple[int, ...]],
) -> Iterator[dict[str, _Stored]]:
  """Every tensor of a folder by its plain name, its files open."""
  fields = json_input.read_object(folder / _CONFIG)
  nested = huggingface_config.reads_images(fields)
  parts = (part for leaf in layout.leaves(cfg) for part in leaf.parts)
  shapes = {**{part.name: part.shape for part in parts}, **extra}
  with contextlib.ExitStack() as stack:
    tensors: dict[str, _Stored] = {}
    for path in _files(folder):
      tensors |= _open(path, {**optional, **shapes}, stack, nested=nested)
    for name, shape in shapes.items():
      if name not in tensors:
        raise errors.InputError(
          f"{folder}: tensor {name!r} is missing; {_CONFIG} expects it with "
          f"shape {shape}"
        )
    yield tensors


def _stream(
  cfg: config.TransformerConfig,
  tensors: Mapping[str, _Stored],
  dtype: str | None,
  mesh: jax.sharding.Mesh | None,
  progress: Progress | None,
) -> tuple[transformer.Transformer, types.Params]:
  """The transformer, its parameters' tree filled leaf by leaf."""
  if dtype is None:
    half = all(tensor.dtype == "bfloat16" for tensor in tensors.values())
    dtype = "bfloat16" if half else "float32"
  number = np.dtype(getattr(ml_dtypes, dtype, dtype))
  place = jax.devices()[0] if mesh is None else mesh.devices.flat[0]
  cfg = config.suited(dataclasses.replace(cfg, dtype=dtype), place.platform)
  lm = transformer.Transformer(cfg)
  params: dict[str, Any] = {}
  axes = lm.logical_axes() if mesh is not None else {}
  leaves = list(layout.leaves(cfg))
  sizes = [int(np.prod(leaf.shape)) * number.itemsize for leaf in leaves]
  done = 0
  for leaf, size in zip(leaves, sizes, strict=True):
    array: Any = _assemble(leaf, tensors, number)
    inner, names = params, axes
    for key in leaf.path[:-1]:
      inner, names = inner.setdefault(key, {}), names.get(key, {})
    if mesh is None:
      array = np.ascontiguousarray(array)
    else:
      spec = names[leaf.path[-1]]
      array = sharding.put(array, sharding.of(mesh, spec, leaf.shape))
    inner[leaf.path[-1]] = array
    done += size
    if progress is not None:
      progress(done, sum(sizes))
  return lm, params


def _to_tensors(
  cfg: config.TransformerConfig, params: types.Params
) -> Iterator[tuple[str, np.ndarray]]:
  """A folder's tensors out of the parameters' tree."""
  for leaf in layout.leaves(cfg):
    found = params
    for key in leaf.path:
      found = found[key]
    array = np.asarray(found)
    for part in leaf.parts:
      yield part.name, part.take(array)


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

  Example:
    >>> from tts_jax.model import embedded
    >>> tts.save_model("copy", *tts.load_model(embedded.FOLDER))
    >>> tts.load_model("copy")[0] == tts.load_model(embedded.FOLDER)[0]
    True
  """
  if lm.config.weight_dtype:
    raise errors.InputError(
      f"{folder}: weights in 8 bits cannot be saved; save what they were made"
      " of"
    )
  folder = storage.at(folder)
  folder.mkdir(parents=True, exist_ok=True)
  # Written last, the config says that all is there.
  described = folder / _CONFIG
  for old in (described, *folder.glob("model*.safetensors"), folder / _INDEX):
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
    format_of = {"format": "pt"}
    if storage.is_remote(folder):
      data = safetensors.numpy.save(shard, format_of)
      (folder / name).write_bytes(data)
    else:
      safetensors.numpy.save_file(shard, folder / name, format_of)
  huggingface_config.write(
    described,
    lm.config,
    dtype=str(np.asarray(params["embedding"]).dtype),
    end_token=end_token,
  )
