"""Hugging Face folders: golden decoding, round trips, bad folders."""

import functools
import json

import chex
import jax
import jax.numpy as jnp
import model_oracle
import numpy as np
import pytest
import safetensors.numpy

from tts_jax import errors, types
from tts_jax.model import config, huggingface, transformer

_CONFIG = config.TransformerConfig(
  vocabulary=16,
  width=8,
  layers=2,
  heads=4,
  kv_heads=2,
  head_width=4,
  mlp_width=12,
  max_positions=32,
  tied=False,
  norm_eps=1e-6,
)


# As Llama 3.2 of 1B parameters has it.
_LLAMA3 = {
  "factor": 32.0,
  "high_freq_factor": 4.0,
  "low_freq_factor": 1.0,
  "original_max_position_embeddings": 8192,
  "rope_type": "llama3",
}
_ROPE = config.Llama3Rope(
  factor=32.0,
  high_freq_factor=4.0,
  low_freq_factor=1.0,
  original_max_positions=8192,
)


@functools.cache
def _model(dtype="float32", **changes):
  cfg = config.TransformerConfig(**(vars(_CONFIG) | {"dtype": dtype} | changes))
  lm = transformer.Transformer(cfg)
  return lm, model_oracle.draw(lm, dtype=dtype)


def _greedy(lm, params, prompt, count):
  prompts = types.Prompts(
    tokens=jnp.asarray([prompt], jnp.int32),
    length=jnp.asarray([len(prompt)]),
    uid=jnp.zeros(1, jnp.uint32),
  )
  _, state = jax.jit(lm.prefill)(params, prompts)
  decode = jax.jit(lm.decode)
  rows = lm.init_rows(1, 1, count)
  token = jnp.asarray([[prompt[-1]]])
  tokens = []
  for _ in range(count):
    output, rows = decode(params, state, rows, token)
    token = output.logits.argmax(-1)
    tokens.append(int(token[0, 0]))
  return tokens


@pytest.mark.parametrize("read", [1, 20])
def test_greedy_decoding_is_the_published_one(data_dir, read):
  folder = data_dir / "models" / "stories260K-hf"
  golden = json.loads((folder / "greedy_golden.json").read_text())
  ids = golden["greedy_ids"]
  assert ids[: len(golden["prompt_ids"])] == golden["prompt_ids"]
  lm, params = huggingface.load(folder)
  # From a longer prompt the same continuation comes through `prefill`.
  found = _greedy(lm, jax.device_put(params), ids[:read], len(ids) - read)
  assert found == ids[read:]


def test_save_gives_back_the_published_tensors(data_dir, tmp_path):
  folder = data_dir / "models" / "stories260K-hf"
  huggingface.save(tmp_path, *huggingface.load(folder))
  found, want = (
    safetensors.numpy.load_file(path / "model.safetensors")
    for path in (tmp_path, folder)
  )
  chex.assert_trees_all_equal(found, want)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("max_shard_bytes", [10**9, 700])
def test_round_trip(tmp_path, tied, dtype, max_shard_bytes):
  lm, params = _model(dtype, tied=tied)
  huggingface.save(tmp_path, lm, params, max_shard_bytes=max_shard_bytes)
  shards = len(list(tmp_path.glob("*.safetensors")))
  assert (shards > 1) == (max_shard_bytes == 700)
  loaded, found = huggingface.load(tmp_path)
  assert loaded.config == config.suited(lm.config, jax.default_backend())
  chex.assert_trees_all_equal_dtypes(found, params)
  chex.assert_trees_all_equal(found, params)


def test_load_casts_on_demand(tmp_path):
  lm, params = _model("bfloat16")
  huggingface.save(tmp_path, lm, params)
  wide, found = huggingface.load(tmp_path, "float32")
  assert wide.config.dtype == "float32"
  assert found["layer_0"]["qkv"].dtype == np.float32
  np.testing.assert_array_equal(
    found["layer_0"]["qkv"], params["layer_0"]["qkv"].astype("float32")
  )


def test_save_leaves_no_stale_shards(tmp_path):
  lm, params = _model()
  huggingface.save(tmp_path, lm, params, max_shard_bytes=700)
  smaller, small_params = _model(layers=1)
  huggingface.save(tmp_path, smaller, small_params)
  files = sorted(path.name for path in tmp_path.iterdir())
  assert files == ["config.json", "model.safetensors"]
  assert huggingface.load(tmp_path)[0] == smaller


def test_save_writes_the_published_layout(tmp_path):
  lm, params = _model()
  huggingface.save(tmp_path, lm, params, end_token=3)
  fields = json.loads((tmp_path / "config.json").read_text())
  assert fields["architectures"] == ["LlamaForCausalLM"]
  assert (fields["eos_token_id"], fields["bos_token_id"]) == (3, None)
  tensors = safetensors.numpy.load_file(tmp_path / "model.safetensors")
  # Query head 3 is the second of the second key/value head's group.
  np.testing.assert_array_equal(
    tensors["model.layers.1.self_attn.q_proj.weight"][12:16],
    params["layer_1"]["qkv"][:, 1, 1].T,
  )
  np.testing.assert_array_equal(
    tensors["model.layers.0.self_attn.v_proj.weight"][:4],
    params["layer_0"]["qkv"][:, 0, 3].T,
  )
  np.testing.assert_array_equal(
    tensors["model.layers.0.mlp.up_proj.weight"],
    params["layer_0"]["gate_up"][:, 1].T,
  )


@pytest.fixture
def folder(tmp_path):
  lm, params = _model()
  huggingface.save(tmp_path, lm, params)
  return tmp_path


def _edit_config(folder, **fields):
  path = folder / "config.json"
  path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def _edit_tensors(folder, change):
  path = folder / "model.safetensors"
  tensors = safetensors.numpy.load_file(path)
  change(tensors)
  safetensors.numpy.save_file(tensors, path)


@pytest.mark.parametrize(
  ("fields", "said"),
  [
    ({"model_type": "gpt2"}, "'model_type' is 'gpt2'; supported: 'llama', 'mi"),
    (
      {"rope_scaling": {"type": "linear"}},
      "'rope_scaling.factor' is missing; it must be a number above 0",
    ),
    (
      {"rope_scaling": {"type": "dynamic", "factor": 2}},
      "rope type 'dynamic'; supported: 'default', 'linear', 'llama3'",
    ),
    (
      {"rope_scaling": {"rope_type": "llama3"}},
      "'rope_scaling.factor' is missing; it must be a number above 0",
    ),
    (
      {"rope_parameters": _LLAMA3 | {"low_freq_factor": "1"}},
      "'rope_parameters.low_freq_factor' is '1'; it must be a number",
    ),
    (
      {"rope_scaling": _LLAMA3 | {"original_max_position_embeddings": 0.5}},
      "'rope_scaling.original_max_position_embeddings' is 0.5; it must be an",
    ),
    (
      {"rope_scaling": _LLAMA3 | {"high_freq_factor": 1}},
      "low_freq_factor is 1.0; it must be above 0 and below high_freq_factor",
    ),
    ({"rope_parameters": {"rope_type": "yarn"}}, "rope type 'yarn'"),
    ({"rope_scaling": 2}, "'rope_scaling' must be an object"),
    ({"hidden_act": "gelu"}, "'hidden_act' is 'gelu'; only the activation of"),
    ({"attention_bias": True}, "'attention_bias' is True"),
    ({"hidden_size": None}, "'hidden_size' is missing"),
    ({"num_hidden_layers": "two"}, "'num_hidden_layers' is 'two'"),
    ({"num_key_value_heads": 3}, "heads is 4; it must be a multiple"),
    ({"tie_word_embeddings": "no"}, "'tie_word_embeddings' is 'no'"),
  ],
)
def test_bad_config(folder, fields, said):
  _edit_config(folder, **fields)
  with pytest.raises(errors.InputError) as info:
    huggingface.load(folder)
  assert said in str(info.value)
  assert "config.json" in str(info.value)
  assert "\n" not in str(info.value)


def test_default_rope_is_read_from_either_place(folder):
  for fields in (
    {"rope_scaling": {"type": "default"}, "rope_theta": 500.0},
    {"rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},
  ):
    _edit_config(folder, **fields)
    assert huggingface.load(folder)[0].config.rope_theta == 500.0


def test_stretched_rope_is_read_from_either_place(folder, tmp_path):
  for fields in (
    {"rope_scaling": _LLAMA3, "rope_theta": 500000.0},
    {"rope_parameters": _LLAMA3 | {"rope_theta": 500000.0}},
  ):
    _edit_config(folder, **fields)
    lm, params = huggingface.load(folder)
    assert lm.config.rope_theta == 500000.0
    assert lm.config.rope_scaling == _ROPE
    huggingface.save(tmp_path / "again", lm, params)
    assert huggingface.load(tmp_path / "again")[0] == lm
    saved = json.loads((tmp_path / "again" / "config.json").read_text())
    assert saved["rope_scaling"] == _LLAMA3


def _save_untied_called_tied(folder, output, max_shard_bytes):
  lm, params = _model("bfloat16", tied=False)
  params = params | {"unembedding": output(params)}
  huggingface.save(folder, lm, params, max_shard_bytes=max_shard_bytes)
  _edit_config(folder, tie_word_embeddings=True)
  return {k: v for k, v in params.items() if k != "unembedding"}


@pytest.mark.parametrize("max_shard_bytes", [10**9, 700])
def test_a_tied_folders_copy_is_passed_over(tmp_path, max_shard_bytes):
  want = _save_untied_called_tied(
    tmp_path, lambda params: params["embedding"].T, max_shard_bytes
  )
  lm, found = huggingface.load(tmp_path)
  assert (lm.config.tied, lm.config.dtype) == (True, "bfloat16")
  chex.assert_trees_all_equal(found, want)


@pytest.mark.parametrize("max_shard_bytes", [10**9, 700])
def test_a_tied_folders_other_output_is_refused(tmp_path, max_shard_bytes):
  _save_untied_called_tied(
    tmp_path, lambda params: params["unembedding"], max_shard_bytes
  )
  with pytest.raises(errors.InputError, match=r"'lm_head\.weight' differs"):
    huggingface.load(tmp_path)


def _misshape(tensors):
  tensors["model.norm.weight"] = np.ones(9, np.float32)


def _quantise(tensors):
  tensors["model.norm.weight"] = np.ones(8, np.int8)


def _break(tensors):
  tensors["model.norm.weight"] = np.full(8, np.nan, np.float32)


@pytest.mark.parametrize(
  ("change", "said"),
  [
    (lambda tensors: tensors.pop("lm_head.weight"), "missing"),
    (lambda tensors: tensors.update(odd=np.ones(3)), "'odd' (3,) is not part"),
    (_misshape, "has shape (9,); config.json expects (8,)"),
    (_quantise, "'model.norm.weight' is I8"),
    (_break, "'model.norm.weight' holds NaN"),
  ],
)
def test_tensors_that_do_not_fit(folder, change, said):
  _edit_tensors(folder, change)
  with pytest.raises(errors.InputError) as info:
    huggingface.load(folder)
  assert said in str(info.value)
  assert str(folder) in str(info.value)
  assert "\n" not in str(info.value)


def test_old_rotary_tables_are_passed_over(folder):
  name = "model.layers.0.self_attn.rotary_emb.inv_freq"
  _edit_tensors(folder, lambda t: t.update({name: np.ones(2, np.float32)}))
  huggingface.load(folder)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_truncated_file(folder, keep):
  path = folder / "model.safetensors"
  path.write_bytes(path.read_bytes()[:keep])
  with pytest.raises(errors.InputError, match="not a whole safetensors file"):
    huggingface.load(folder)


def test_absent_files(tmp_path):
  with pytest.raises(errors.InputError, match=r"config.json: no such file"):
    huggingface.load(tmp_path)
  (tmp_path / "config.json").write_text("{")
  with pytest.raises(errors.InputError, match=r"config.json: not JSON"):
    huggingface.load(tmp_path)
  (tmp_path / "config.json").write_text("[]")
  with pytest.raises(errors.InputError, match="must be a JSON object"):
    huggingface.load(tmp_path)
  lm, params = _model()
  huggingface.save(tmp_path, lm, params, max_shard_bytes=700)
  index = tmp_path / "model.safetensors.index.json"
  shard = sorted(tmp_path.glob("*.safetensors"))[1]
  shard.unlink()
  with pytest.raises(errors.InputError, match=f"{shard.name}: no such file"):
    huggingface.load(tmp_path)
  index.write_text("{}")
  with pytest.raises(errors.InputError, match="'weight_map'"):
    huggingface.load(tmp_path)
  index.unlink()
  with pytest.raises(errors.InputError, match=r"model.safetensors: no such"):
    huggingface.load(tmp_path)
