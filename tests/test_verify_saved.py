"""Verifiers' folders: written, read again, and each fault in one line."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
import tiny_model
import tiny_verifier

from tts_jax import errors, types
from tts_jax.model import config, huggingface, table, transformer
from tts_jax.verify import reward, saved

_V, _D = tiny_verifier.V, tiny_verifier.D
_SHAPE = tiny_verifier.SHAPE
_STRETCHED = dataclasses.replace(
  _SHAPE,
  rope_scaling=config.Llama3Rope(
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_positions=32,
  ),
)
_ORIGIN = saved.Origin(tokenizer="aa11", model="bb22")


def _config(blocks=_SHAPE, *, predicts=False):
  return dataclasses.replace(
    tiny_verifier.HEAD, delimiters=(3, 7), blocks=blocks, predicts=predicts
  )


_VERIFIERS = {
  "blocks": reward.RewardModel(_config()),
  "predicts": reward.RewardModel(_config(predicts=True)),
  "branches": reward.RewardModel(
    dataclasses.replace(_config(predicts=True), tap=0)
  ),
  "stretched": reward.RewardModel(_config(_STRETCHED)),
  "no blocks": reward.RewardModel(_config(None)),
  "own backbone": reward.RewardModel(
    _config(predicts=True), transformer.Transformer(_SHAPE)
  ),
}


def _params(verifier):
  rng = np.random.default_rng(0)
  return jax.tree.map(
    lambda leaf: jnp.asarray(rng.normal(0, 0.4, leaf.shape), jnp.float32),
    jax.eval_shape(verifier.init, jax.random.key(0)),
  )


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize("name", _VERIFIERS)
def test_a_verifier_is_read_as_it_was_written(tmp_path, name, dtype):
  verifier = _VERIFIERS[name]
  params = _params(verifier)
  # What else the training carries is not written.
  carried = {**params, "model": {"embedding": jnp.ones((2, 2))}}
  saved.save(tmp_path / "made", verifier, carried, _ORIGIN, dtype=dtype)
  found, again = saved.load(tmp_path / "made", _ORIGIN)
  assert found == verifier
  assert set(again) == set(params)
  number = np.dtype(getattr(ml_dtypes, dtype, dtype))

  def check(leaf, want):
    assert isinstance(leaf, np.ndarray)
    assert leaf.dtype == np.float32
    want = np.asarray(want).astype(number).astype(np.float32)
    np.testing.assert_array_equal(leaf, want)

  jax.tree.map(check, again, params)
  on_disk = safetensors.numpy.load_file(tmp_path / "made/head.safetensors")
  assert {tensor.dtype for tensor in on_disk.values()} == {number}


def test_what_was_loaded_reads_a_stretched_context(tmp_path):
  verifier = _VERIFIERS["stretched"]
  saved.save(tmp_path, verifier, _params(verifier), _ORIGIN, dtype="float32")
  found, params = saved.load(tmp_path)
  ones = jnp.ones((1, 5), jnp.int32)
  states = np.random.default_rng(1).normal(size=(1, 5, _D))
  output = types.Output(logits=jnp.zeros((1, 5, _V)), hidden=states)
  logits = [
    one.forward(
      own,
      ones,
      output,
      ones,
      -ones / 2,
      positions=jnp.arange(5)[None],
      segments=ones,
      parents=ones,
    )
    for one, own in ((verifier, _params(verifier)), (found, params))
  ]
  np.testing.assert_array_equal(*logits)


def _change_card(change):
  def apply(folder):
    path = folder / saved.CARD
    card = json.loads(path.read_text())
    change(card)
    path.write_text(json.dumps(card))

  return apply


def _change_weights(change):
  def apply(folder):
    path = folder / "head.safetensors"
    tensors = safetensors.numpy.load_file(path)
    change(tensors)
    safetensors.numpy.save_file(tensors, path)

  return apply


def _cut(name):
  def apply(folder):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) * 2 // 3])

  return apply


def _remove(name):
  return lambda folder: (folder / name).unlink()


def _put_nan(tensors):
  tensors["mlp/kernel"][3, 2] = np.nan


def _put_infinity(tensors):
  tensors["logit/bias"][0] = np.inf


def _reshape(tensors):
  tensors["mlp/kernel"] = np.zeros((3, 12), ml_dtypes.bfloat16)


def _another(tensors):
  tensors["more"] = np.zeros(2, np.float32)


_FAULTS = {
  "no card": (_remove(saved.CARD), r"verifier.json: no such file"),
  "cut card": (_cut(saved.CARD), r"verifier.json: not JSON"),
  "binary card": (
    lambda folder: (folder / saved.CARD).write_bytes(b"\xff\xfe{}"),
    r"verifier.json: not UTF-8 at byte 0",
  ),
  "list": (
    lambda folder: (folder / saved.CARD).write_text("[]"),
    r"verifier.json: must be a JSON object",
  ),
  **{
    f"without {name}": (
      _change_card(lambda card, name=name: card.pop(name)),
      rf"verifier.json: field '{name}' is missing",
    )
    for name in ("head", "backbone", "origin")
  },
  "head of text": (
    _change_card(lambda card: card.update(head="tall")),
    "verifier.json: field 'head' must be an object",
  ),
  "without width": (
    _change_card(lambda card: card["head"].pop("width")),
    r"verifier.json: field 'head.width' is missing",
  ),
  "without layers": (
    _change_card(lambda card: card["head"]["blocks"].pop("layers")),
    r"verifier.json: field 'head.blocks.layers' is missing",
  ),
  "without a tokenizer": (
    _change_card(lambda card: card["origin"].pop("tokenizer")),
    r"verifier.json: field 'origin.tokenizer' is missing",
  ),
  "with depth": (
    _change_card(lambda card: card["head"].update(depth=3)),
    r"verifier.json: field 'head.depth' is unknown",
  ),
  "width 0": (
    _change_card(lambda card: card["head"].update(mlp_width=0)),
    r"head mlp_width is 0; it must be at least 1",
  ),
  "tokenizer": (
    _change_card(lambda card: card["origin"].update(tokenizer="cc33")),
    r"verifier.json: .*made for tokenizer cc33, this one is aa11",
  ),
  "model": (
    _change_card(lambda card: card["origin"].update(model="dd44")),
    r"verifier.json: .*states of model dd44, this one is bb22",
  ),
  "no weights": (
    _remove("head.safetensors"),
    r"head.safetensors: not found",
  ),
  "cut weights": (
    _cut("head.safetensors"),
    r"head.safetensors: not a whole safetensors file",
  ),
  "empty weights": (
    lambda folder: (folder / "head.safetensors").write_bytes(b""),
    r"head.safetensors: not a whole safetensors file",
  ),
  "another shape": (
    _change_weights(_reshape),
    r"tensor 'mlp/kernel' is \(3, 12\); verifier.json expects \(30, 12\)",
  ),
  "a tensor less": (
    _change_weights(lambda tensors: tensors.pop("logit/bias")),
    r"tensor 'logit/bias' is absent; verifier.json expects \(1,\)",
  ),
  "a tensor more": (
    _change_weights(_another),
    r"tensor 'more' is \(2,\); verifier.json expects none",
  ),
  "NaN": (_change_weights(_put_nan), r"'mlp/kernel' holds NaN or infinity"),
  "infinity": (
    _change_weights(_put_infinity),
    r"'logit/bias' holds NaN or infinity",
  ),
  "cut backbone": (
    _cut("backbone/model.safetensors"),
    r"backbone/model.safetensors: not a whole safetensors file",
  ),
  "no backbone": (
    _remove("backbone/config.json"),
    r"backbone/config.json: no such file",
  ),
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_fault_is_said_in_one_line(tmp_path, fault):
  change, message = _FAULTS[fault]
  name = "own backbone" if fault.endswith("backbone") else "blocks"
  verifier = _VERIFIERS[name]
  saved.save(tmp_path, verifier, _params(verifier), _ORIGIN)
  saved.load(tmp_path, _ORIGIN)
  change(tmp_path)
  with pytest.raises(errors.InputError, match=message) as raised:
    saved.load(tmp_path, _ORIGIN)
  assert len(str(raised.value).splitlines()) == 1


def test_without_an_origin_at_hand_any_is_taken(tmp_path):
  verifier = _VERIFIERS["no blocks"]
  saved.save(tmp_path, verifier, _params(verifier), _ORIGIN)
  assert saved.load(tmp_path)[0] == verifier


def test_an_origin_tells_weights_and_tokenizers_apart(tmp_path):
  tiny_model.save(tmp_path)
  first = saved.origin(tmp_path)
  assert saved.origin(tmp_path) == first
  path = tmp_path / "model.safetensors"
  tensors = safetensors.numpy.load_file(path)
  tensors["model.norm.weight"][0] += 1
  safetensors.numpy.save_file(tensors, path)
  other = saved.origin(tmp_path)
  assert other.tokenizer == first.tokenizer
  assert other.model != first.model
  path = tmp_path / "tokenizer.json"
  read = json.loads(path.read_text())
  read["model"]["merges"].pop()
  path.write_text(json.dumps(read))
  assert saved.origin(tmp_path).tokenizer != first.tokenizer


def test_a_verifier_fits_states_and_tokens_of_its_sizes():
  lm = table.TableModel(((0.0,) * _V,) * _V)
  few = table.TableModel(((0.0,) * 5,) * 5)
  for verifier in _VERIFIERS.values():
    saved.check_fit(verifier, lm, _D)
    with pytest.raises(errors.InputError, match=r"knows 11 tokens, .* 5;"):
      saved.check_fit(verifier, few, _D)
  with pytest.raises(errors.InputError, match=r"of width 16, .* are 8 wide"):
    saved.check_fit(_VERIFIERS["blocks"], lm, 8)
  # One with a backbone of its own does not read the model's states.
  saved.check_fit(_VERIFIERS["own backbone"], lm, 8)


def test_another_is_trained_on_from_it_whatever_its_length(tmp_path):
  verifier = _VERIFIERS["predicts"]
  params = _params(verifier)
  saved.save(tmp_path, verifier, params, _ORIGIN, dtype="float32")
  longer = dataclasses.replace(_SHAPE, max_positions=4 * _SHAPE.max_positions)
  begun = saved.start(
    str(tmp_path), reward.RewardModel(_config(longer, predicts=True))
  )
  jax.tree.map(np.testing.assert_array_equal, begun["head"], params["head"])
  wider = dataclasses.replace(_SHAPE, mlp_width=2 * _SHAPE.mlp_width)
  with pytest.raises(errors.InputError, match="give the same head"):
    saved.start(
      str(tmp_path), reward.RewardModel(_config(wider, predicts=True))
    )
  assert saved.start("", verifier) == {}


def test_a_head_alone_starts_a_verifier_with_a_backbone_of_its_own(tmp_path):
  shared, own = _VERIFIERS["predicts"], _VERIFIERS["own backbone"]
  saved.save(tmp_path / "shared", shared, _params(shared), _ORIGIN)
  assert set(saved.start(str(tmp_path / "shared"), own)) == {"head"}
  saved.save(tmp_path / "own", own, _params(own), _ORIGIN)
  assert set(saved.start(str(tmp_path / "own"), own)) == {"head", "backbone"}
  with pytest.raises(errors.InputError, match="its own backbone is"):
    saved.start(str(tmp_path / "own"), shared)


def test_a_backbone_starts_from_the_lower_blocks_of_a_model(tmp_path):
  own, shared = _VERIFIERS["own backbone"], _VERIFIERS["predicts"]
  deeper = transformer.Transformer(
    dataclasses.replace(_SHAPE, layers=_SHAPE.layers + 1, max_positions=256)
  )
  params = deeper.init(jax.random.key(0))
  huggingface.save(tmp_path / "deeper", deeper, params)
  found = saved.start("", own, str(tmp_path / "deeper"))
  assert set(found) == {"backbone"}
  want = {name: params[name] for name in found["backbone"]}
  assert "layer_1" in set(params) - set(want)
  jax.tree.map(np.testing.assert_array_equal, found["backbone"], want)
  with pytest.raises(errors.InputError, match="which it has not"):
    saved.start("", shared, str(tmp_path / "deeper"))
  saved.save(tmp_path / "own", own, _params(own), _ORIGIN)
  with pytest.raises(errors.InputError, match="would overwrite; give one"):
    saved.start(str(tmp_path / "own"), own, str(tmp_path / "deeper"))
  other = transformer.Transformer(dataclasses.replace(_SHAPE, mlp_width=4))
  huggingface.save(tmp_path / "other", other, other.init(jax.random.key(0)))
  with pytest.raises(errors.InputError, match="lower blocks of a model of its"):
    saved.start("", own, str(tmp_path / "other"))
