"""Verifiers as folders: a card of JSON, and weights in safetensors.

verifier.json          the head's shape, and what it was made for
head.safetensors       its weights, named by their paths
regimes.json           if it is there, what each regime of it measured
backbone/              a backbone of its own, as a Hugging Face folder
"""

import dataclasses
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from tts_jax import errors, json_input, storage, types
from tts_jax.model import config, head, huggingface
from tts_jax.store import atomic
from tts_jax.tasks import tokenization
from tts_jax.verify import cards, reward

CARD, REGIMES = "verifier.json", "regimes.json"
_HEAD = "head.safetensors"
_BACKBONE = "backbone"


@dataclasses.dataclass(frozen=True)
class Origin:
  """What a verifier was made for, and reads nothing else.

  Attributes:
    tokenizer: digest of the tokenizer.
    model: hash of the generator's weights, whose states it reads.
  """

  tokenizer: str
  model: str


def origin(model: pathlib.Path) -> Origin:
  """That of the model in a Hugging Face folder."""
  return Origin(
    tokenizer=tokenization.load(model).digest,
    model=content_hash(model),
  )


def content_hash(folder: str | pathlib.Path) -> str:
  """Hash of the weights in a folder, those of its folders included."""
  files = sorted(storage.fetched(folder).rglob("*.safetensors"))
  hashes = "".join(atomic.file_hash(path) for path in files)
  return atomic.bytes_hash(hashes.encode())


def save(
  folder: str | pathlib.Path,
  verifier: reward.RewardModel,
  params: types.Params,
  made_for: Origin,
  *,
  dtype: str = "bfloat16",
) -> None:
  """Writes a folder that `load` reads.

  Args:
    folder: made if it does not exist.
    verifier: its shape.
    params: {"head"}, and "backbone" where it has one of its own.
    made_for: what it reads.
    dtype: of the weights on disk.
  """
  folder = storage.at(folder)
  atomic.make_folder(folder)
  number = np.dtype(getattr(ml_dtypes, dtype, dtype))

  def cast(tree: types.Params) -> types.Params:
    return jax.tree.map(lambda x: np.asarray(x).astype(number, "C"), tree)

  head_bytes = safetensors.numpy.save(named(cast(params["head"])))
  atomic.write_bytes(folder / _HEAD, head_bytes)
  if verifier.backbone is not None:
    own = cast(params["backbone"])
    huggingface.save(folder / _BACKBONE, verifier.backbone, own)
  card = {
    "head": dataclasses.asdict(verifier.config),
    "backbone": verifier.backbone is not None,
    "origin": dataclasses.asdict(made_for),
  }
  atomic.write_json(folder / CARD, card)


def load(
  folder: str | pathlib.Path, here: Origin | None = None
) -> tuple[reward.RewardModel, types.Params]:
  """Reads a verifier and its parameters, float32 numpy arrays.

  Args:
    folder: as `save` wrote it.
    here: of the model and tokenizer at hand; None takes any.

  Raises:
    InputError: the folder is not whole; the verifier was made for another
      tokenizer or model; its weights do not fit its card.
  """
  folder = storage.fetched(folder)
  card = _card(folder / CARD)
  if here is not None:
    check_origin(folder / CARD, here)
  shape = cards.build(folder / CARD, "head", head.HeadConfig, card["head"])
  backbone = None
  params: dict[str, Any] = {}
  if card["backbone"]:
    backbone, params["backbone"] = huggingface.load(
      folder / _BACKBONE, "float32"
    )
  verifier = reward.RewardModel(shape, backbone)
  shapes = jax.eval_shape(verifier.init, jax.random.key(0))["head"]
  params["head"] = tensors(folder / _HEAD, shapes, CARD)
  return verifier, params


def start(
  folder: str, verifier: reward.RewardModel, backbone: str = ""
) -> types.Params:
  """What a verifier's training starts from, beside what is drawn.

  Args:
    folder: of a saved verifier, made for any model, as `save` wrote it; one
      without a backbone of its own gives its head alone. Empty: there is none.
    verifier: to be trained, of the same shape; how many positions it reads sets
      no parameter, and may differ.
    backbone: of a model, a Hugging Face folder, whose lower blocks the
      verifier's own backbone starts from. Empty: there is none.

  Returns:
    {"head", "backbone"}, as far as there is something to start from.

  Raises:
    InputError: as `load`; a shape is another; the verifier has no backbone of
      its own and is to start one.
  """
  found: dict[str, Any] = {}
  if folder:
    found |= _start(folder, verifier)
  if backbone:
    if "backbone" in found:
      raise errors.InputError(
        f"{folder} has a backbone of its own, which {backbone} would overwrite;"
        " give one of the two"
      )
    found["backbone"] = _lower_blocks(backbone, verifier)
  return jax.tree.map(jnp.asarray, found)


def _start(folder: str, verifier: reward.RewardModel) -> types.Params:
  found, params = load(folder)
  path = storage.fetched(folder) / CARD
  if _shape(found.config) != _shape(verifier.config):
    raise errors.InputError(
      f"{path}: its head is {found.config}, the one to be trained"
      f" {verifier.config}; give the same head, or no start"
    )
  if found.backbone is not None and (
    verifier.backbone is None
    or _any_length(found.backbone.config)
    != _any_length(verifier.backbone.config)
  ):
    raise errors.InputError(
      f"{path}: its own backbone is {found.backbone}, that of the one to be"
      f" trained {verifier.backbone}; give the same, or no start"
    )
  return params


def _lower_blocks(folder: str, verifier: reward.RewardModel) -> types.Params:
  if verifier.backbone is None:
    raise errors.InputError(
      f"{folder} starts a backbone of the verifier's own, which it has not; set"
      " head.separate, or leave config.backbone empty"
    )
  lm, params = huggingface.load(folder, "float32")
  found, wanted = lm.config, verifier.backbone.config
  alike = found.part(0, min(found.layers, wanted.layers))
  if found.layers < wanted.layers or _any_length(alike) != _any_length(wanted):
    raise errors.InputError(
      f"{folder}: its shape is {found}, the backbone's {wanted}; a backbone"
      " starts from the lower blocks of a model of its shape"
    )
  return reward.lower_blocks(verifier.backbone, params)


def _shape(found: head.HeadConfig) -> head.HeadConfig:
  """What sets the shapes of a head's parameters."""
  found = dataclasses.replace(found, answer_end=None)
  if found.blocks is None:
    return found
  return dataclasses.replace(found, blocks=_any_length(found.blocks))


def _any_length(
  shape: config.TransformerConfig,
) -> config.TransformerConfig:
  return dataclasses.replace(shape, max_positions=1, dropout=0.0)


def regimes(folder: pathlib.Path) -> dict[str, Any]:
  """Figures of a verifier's regimes, kept beside it: {} where it has none.

  Args:
    folder: of the verifier.
  """
  path = folder / REGIMES
  return dict(json_input.read_object(path)) if path.exists() else {}


def check_origin(path: pathlib.Path, here: Origin) -> None:
  """Checks that what a JSON file describes was made for a model.

  Args:
    path: of a file with a field `origin`, as a verifier's card has one and the
      summary of labels.
    here: of the model and tokenizer at hand.

  Raises:
    InputError: there is no such file or field; it names another tokenizer or
      model.
  """
  found = json_input.read_object(path)
  made = cards.build(path, "origin", Origin, found.get("origin"))
  if made.tokenizer != here.tokenizer:
    raise errors.InputError(
      f"{path}: made for tokenizer {made.tokenizer}, this one is"
      f" {here.tokenizer}; its tokens would mean something else"
    )
  if made.model != here.model:
    raise errors.InputError(
      f"{path}: reads the states of model {made.model}, this one is"
      f" {here.model}; make it anew from this model"
    )


def check_fit(
  verifier: reward.RewardModel, lm: types.LanguageModel, width: int
) -> None:
  """Checks that a verifier can read a model's states.

  Raises:
    InputError: their widths or vocabularies differ.
  """
  wants, own = verifier.config, verifier.backbone
  width = own.config.width if own is not None else width
  if wants.input_width != width:
    raise errors.InputError(
      f"the verifier reads states of width {wants.input_width}, the model's are"
      f" {width} wide; train one on this model"
    )
  if wants.vocabulary != lm.vocabulary:
    raise errors.InputError(
      f"the verifier knows {wants.vocabulary} tokens, the model"
      f" {lm.vocabulary}; train one on this model"
    )


def _card(path: pathlib.Path) -> dict[str, Any]:
  card = json_input.read_object(path)
  for field in ("head", "backbone", "origin"):
    if field not in card:
      raise errors.InputError(f"{path}: field {field!r} is missing")
  return card


def tensors(path: pathlib.Path, shapes: Any, card: str) -> Any:
  """A tree of float32 numpy arrays from a file, checked tensor by tensor.

  Args:
    path: of the safetensors file, its tensors as `named` names them.
    shapes: tree of what it must hold.
    card: what says so.

  Raises:
    InputError: the file is not there or not whole; a tensor has another shape,
      is missing or unknown, or holds NaN or infinity.
  """
  try:
    found = safetensors.numpy.load_file(path)
  except FileNotFoundError as error:
    raise errors.InputError(f"{path}: not found") from error
  except safetensors.SafetensorError as error:
    raise errors.InputError(
      f"{path}: not a whole safetensors file: {error}"
    ) from error
  wanted = named(shapes)
  for name in sorted({*wanted, *found}):
    have = found[name].shape if name in found else "absent"
    want = wanted[name].shape if name in wanted else "none"
    if have != want:
      raise errors.InputError(
        f"{path}: tensor {name!r} is {have}; {card} expects {want}"
      )
    if not np.isfinite(found[name].astype(np.float32)).all():
      raise errors.InputError(f"{path}: tensor {name!r} holds NaN or infinity")
  return jax.tree_util.tree_map_with_path(
    lambda path, _: found[_name(path)].astype(np.float32), shapes
  )


def named(tree: Any) -> dict[str, Any]:
  """A tree's leaves by their paths, as files name them."""
  leaves = jax.tree_util.tree_leaves_with_path(tree)
  return {_name(path): leaf for path, leaf in leaves}


def _name(path: tuple[Any, ...]) -> str:
  return "/".join(str(key.key) for key in path)
