"""Every published family: transformers' own figures, the oracle, our cache."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tracemalloc

import chex
import jax
import jax.numpy as jnp
import kill_harness
import model_oracle
import numpy as np
import pytest
import safetensors.numpy
import transformers_models as made

from tts_jax import errors, types
from tts_jax.model import cache, config, families, huggingface, transformer

CASES = list(made.CASES)


def _golden(case):
  return safetensors.numpy.load_file(made.GOLDEN / case / "golden.safetensors")


def _prompts(rows, length):
  return types.Prompts(
    tokens=jnp.asarray(rows, jnp.int32),
    length=jnp.asarray(length, jnp.int32),
    uid=jnp.zeros(len(length), jnp.uint32),
  )


@pytest.mark.parametrize("case", CASES)
def test_forward_is_transformers(case):
  lm, params = huggingface.load(made.GOLDEN / case)
  golden = _golden(case)
  output = jax.jit(lm.forward)(params, golden["tokens"][None])
  np.testing.assert_allclose(output.logits[0], golden["logits"], atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_forward_is_the_oracle(case):
  lm, params = huggingface.load(made.GOLDEN / case)
  tokens = _golden(case)["tokens"][:12]
  found = jax.jit(lm.forward)(params, tokens[None]).logits[0]
  want = model_oracle.forward(lm.config, params, tokens)
  np.testing.assert_allclose(found, want, atol=2e-4)


@pytest.mark.parametrize("case", CASES)
def test_greedy_tokens_are_those_of_transformers(case):
  lm, params = huggingface.load(made.GOLDEN / case)
  golden = _golden(case)
  _, state = lm.prefill(params, _prompts(golden["tokens"][None, :8], [8]))
  step = jax.jit(lm.decode)
  rows = lm.init_rows(1, 1, made.GREEDY)
  token, found = jnp.asarray(golden["tokens"][None, 7:8]), []
  for _ in range(made.GREEDY):
    output, rows = step(params, state, rows, token)
    token = output.logits.argmax(-1)
    found.append(int(token[0, 0]))
  assert found == golden["greedy"].tolist()


@pytest.mark.parametrize("case", CASES)
def test_rows_that_share_a_prompt_and_are_refilled(case):
  lm, params = huggingface.load(made.GOLDEN / case)
  golden = _golden(case)
  tokens, want = golden["tokens"], golden["logits"]
  # The one text, cut into prompt and completion at two places; padded.
  length = [5, 17]
  padded = np.stack(
    [np.where(np.arange(20) < n, tokens[:20], 3) for n in length]
  )
  prompts = _prompts(padded, length)
  output, state = jax.jit(lm.prefill)(params, prompts)
  for q, n in enumerate(length):
    np.testing.assert_allclose(output.logits[q, :n], want[:n], atol=1e-4)

  step = jax.jit(lm.decode)
  rows = lm.init_rows(2, 3, 24)
  for refill in (False, True):
    if refill:
      # The middle rows begin again; the others go on, where there is room.
      rows = cache.reset(rows, jnp.array([[False, True, False]] * 2))
    for _ in range(12):
      place = np.asarray(length)[:, None] - 1 + np.asarray(rows.length)
      inside = place < len(tokens)
      place = np.minimum(place, len(tokens) - 1)
      output, rows = step(params, state, rows, jnp.asarray(tokens[place]))
      found, right = np.asarray(output.logits)[inside], want[place][inside]
      np.testing.assert_allclose(found, right, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_a_block_after_a_prompt(case):
  lm, params = huggingface.load(made.GOLDEN / case)
  golden = _golden(case)
  tokens = golden["tokens"]
  _, state = lm.prefill(params, _prompts(tokens[None, :18], [11]))
  output, rows = lm.extend(params, state, jnp.asarray(tokens[None, 10:30]))
  np.testing.assert_allclose(
    output.logits[0], golden["logits"][10:30], atol=1e-4
  )
  assert rows.length.tolist() == [[20]]


@pytest.mark.parametrize("case", CASES)
def test_blocks_appended_to_rows(case):
  lm, params = huggingface.load(made.GOLDEN / case)
  golden = _golden(case)
  tokens, want = golden["tokens"], golden["logits"]
  length = np.array([5, 17])
  padded = np.stack([tokens[:17], tokens[:17]])
  _, state = lm.prefill(params, _prompts(padded, length))
  extend = jax.jit(lm.extend_rows)
  rows = lm.init_rows(2, 3, 24)
  for count in ([[3, 1, 7], [4, 0, 2]], [[1, 5, 0], [6, 7, 2]], [[7] * 3] * 2):
    start = length[:, None] - 1 + np.asarray(rows.length)
    place = start[..., None] + np.arange(7)
    counted = np.arange(7) < np.array(count)[..., None]
    inside = counted & (place < len(tokens))
    given = np.where(inside, tokens[np.minimum(place, len(tokens) - 1)], 3)
    output, rows = extend(
      params, state, rows, jnp.asarray(given), jnp.array(count)
    )
    found, right = np.asarray(output.logits)[inside], want[place[inside]]
    np.testing.assert_allclose(found, right, atol=1e-4)
  assert rows.length.tolist() == [[11, 13, 14], [17, 14, 11]]


@pytest.mark.parametrize("case", CASES)
def test_completions_packed_behind_their_prompt(case):
  lm, params = huggingface.load(made.GOLDEN / case)
  golden = _golden(case)
  tokens, want = golden["tokens"], golden["logits"]
  # Nine tokens of prompt; behind them the rest, twice.
  rest = len(tokens) - 9
  packed = np.concatenate([tokens, tokens[9:]])[None]
  positions = np.concatenate([np.arange(len(tokens)), np.arange(9, 9 + rest)])
  segments = np.repeat([1, 2, 3], [9, rest, rest])
  parents = np.ones_like(segments)
  output = jax.jit(lm.forward)(
    params,
    packed,
    positions=positions[None],
    segments=segments[None],
    parents=parents[None],
  )
  both = np.concatenate([want, want[9:]])
  np.testing.assert_allclose(output.logits[0], both, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("max_shard_bytes", [10**9, 9000])
def test_export_gives_back_tensors_and_config(case, max_shard_bytes, tmp_path):
  folder = made.GOLDEN / case
  lm, params = huggingface.load(folder)
  huggingface.save(tmp_path, lm, params, max_shard_bytes=max_shard_bytes)
  found, want = {}, safetensors.numpy.load_file(folder / "model.safetensors")
  for path in tmp_path.glob("*.safetensors"):
    found |= safetensors.numpy.load_file(path)
  chex.assert_trees_all_equal(found, want)
  again, same = huggingface.load(tmp_path)
  chex.assert_trees_all_equal(same, params)
  # What no layer reads may differ: a base for windows where there are none.
  assert again == lm


def test_long_inputs_cross_blocks_and_windows():
  lm, params = huggingface.load(made.GOLDEN / "gemma3")
  tokens = np.random.default_rng(0).integers(0, 48, 150)
  want = model_oracle.forward(lm.config, params, tokens)
  found = jax.jit(lm.forward)(params, jnp.asarray(tokens[None])).logits[0]
  np.testing.assert_allclose(found, want, atol=3e-4)


def test_what_no_window_reaches_is_not_computed():
  cfg = config.TransformerConfig(
    vocabulary=32,
    width=8,
    layers=1,
    heads=1,
    kv_heads=1,
    head_width=8,
    mlp_width=8,
    max_positions=1024,
  )

  def flops(windows):
    lm = transformer.Transformer(dataclasses.replace(cfg, windows=windows))
    params = lm.init(jax.random.key(0))
    run = jax.jit(lm.forward).lower(params, jnp.zeros((1, 1024), jnp.int32))
    return run.compile().cost_analysis()["flops"]

  assert flops((16,)) < 0.6 * flops(())


@pytest.mark.parametrize("case", CASES)
def test_its_family_is_found_again(case):
  lm, _ = huggingface.load(made.GOLDEN / case)
  fields = json.loads((made.GOLDEN / case / "config.json").read_text())
  kind = families.find(lm.config)
  # A Mistral without a window is a Llama, and is written as one.
  assert kind == fields["model_type"] or case == "mistral_unwindowed"


def test_a_model_of_no_family_is_not_exported(tmp_path):
  lm, params = huggingface.load(made.GOLDEN / "qwen2")
  odd = dataclasses.replace(lm.config, attention_cap=3.0)
  with pytest.raises(errors.InputError, match="no family of llama, mistral"):
    huggingface.save(tmp_path, transformer.Transformer(odd), params)


def _changed(tmp_path, case, **fields):
  folder = tmp_path / case
  shutil.copytree(made.GOLDEN / case, folder)
  found = json.loads((folder / "config.json").read_text()) | fields
  (folder / "config.json").write_text(json.dumps(found))
  return folder


@pytest.mark.parametrize(
  ("case", "fields", "said"),
  [
    ("gemma2", {"hidden_activation": "gelu"}, "'hidden_activation' is 'gelu'"),
    ("gemma3", {"use_bidirectional_attention": True}, "_attention' is True"),
    ("gemma3", {"layer_types": ["full_attention"]}, "for each of 3 layers"),
    (
      "qwen3_windows",
      {"layer_types": ["chunked_attention"] * 3},
      "'layer_types' is ['chunked_attention', ",
    ),
    ("mistral", {"sliding_window": 0}, "'sliding_window' is 0"),
    ("qwen3", {"attention_bias": True}, "'attention_bias' is True; only False"),
    (
      "gemma2",
      {"attn_logit_softcapping": -1},
      "_softcapping' is -1",
    ),
    ("gemma3", {"attn_logit_softcapping": 5.0}, "softcapping' is 5.0; only No"),
    ("gemma2", {"query_pre_attn_scalar": None}, "_scalar' is missing"),
    ("gemma3", {"rope_parameters": {"full_attention": 3}}, "must be an object"),
    ("llama", {"model_type": "qwen2"}, "q_proj.bias' is missing"),
    ("qwen2", {"model_type": "llama"}, "is not part of the model"),
    ("gemma3", {"model_type": "gemma2"}, "is not part of the model"),
  ],
)
def test_bad_config(tmp_path, case, fields, said):
  with pytest.raises(errors.InputError) as info:
    huggingface.load(_changed(tmp_path, case, **fields))
  assert said in str(info.value)
  assert "\n" not in str(info.value)


def test_fields_of_earlier_versions_are_read(tmp_path):
  folder = _changed(
    tmp_path,
    "gemma3",
    rope_parameters=None,
    rope_theta=1000000.0,
    rope_local_base_freq=10000.0,
    rope_scaling={"rope_type": "linear", "factor": 8.0},
    layer_types=None,
    sliding_window_pattern=3,
  )
  assert (
    huggingface.load(folder)[0] == huggingface.load(made.GOLDEN / "gemma3")[0]
  )
  folder = _changed(tmp_path, "qwen2_windows", layer_types=None)
  windows = huggingface.load(folder)[0].config.windows
  assert windows == (None, 9, 9)


def test_the_text_of_a_model_that_reads_images(tmp_path):
  lm, params = huggingface.load(made.GOLDEN / "gemma3")
  tensors = safetensors.numpy.load_file(
    made.GOLDEN / "gemma3" / "model.safetensors"
  )
  text = json.loads((made.GOLDEN / "gemma3" / "config.json").read_text())
  whole = {"model_type": "gemma3", "text_config": text}
  (tmp_path / "config.json").write_text(json.dumps(whole))
  for prefix, inside in (("language_model.", ""), ("model.language_", "model")):
    named = {
      f"{prefix}{name.removeprefix('model') if inside else name}".replace(
        "language_.", "language_model."
      ): tensor
      for name, tensor in tensors.items()
    }
    named["vision_tower.patch.weight"] = np.ones(3, np.float32)
    safetensors.numpy.save_file(named, tmp_path / "model.safetensors")
    found, same = huggingface.load(tmp_path)
    assert found == lm
    chex.assert_trees_all_equal(same, params)


def test_parameters_are_read_onto_a_mesh():
  # Devices are fixed at start-up, so another process has eight.
  code = """
import pathlib, sys
import chex, jax, numpy as np, safetensors.numpy
from tts_jax import sharding
from tts_jax.model import huggingface
folder = pathlib.Path(sys.argv[1])
_, want = huggingface.load(folder)
golden = safetensors.numpy.load_file(folder / "golden.safetensors")
for data, fsdp, model in ((1, 4, 2), (2, 2, 2), (8, 1, 1)):
  mesh = sharding.mesh(data=data, fsdp=fsdp, model=model)
  told = []
  lm, params = huggingface.load(
    folder, mesh=mesh, progress=lambda *far: told.append(far)
  )
  chex.assert_trees_all_equal(jax.tree.map(np.asarray, params), want)
  qkv = params["layer_0"]["qkv"]
  part = (16 // fsdp, 2 // model, 4, 8)
  assert qkv.sharding.shard_shape(qkv.shape) == part
  size = sum(leaf.nbytes for leaf in jax.tree.leaves(want))
  assert told[-1] == (size, size)
  assert told == sorted(told)
  logits = jax.jit(lm.forward)(params, golden["tokens"][None]).logits
  np.testing.assert_allclose(logits[0], golden["logits"], atol=1e-4)
"""
  subprocess.run(
    [sys.executable, "-c", code, str(made.GOLDEN / "gemma3")],
    check=True,
    cwd=kill_harness.ROOT,
    env={**os.environ, "JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "8"},
  )


def test_reading_holds_one_parameter_above_what_it_gives(tmp_path):
  cfg = config.TransformerConfig(
    vocabulary=20_000,
    width=64,
    layers=12,
    heads=4,
    kv_heads=2,
    head_width=16,
    mlp_width=512,
    max_positions=64,
  )
  lm = transformer.Transformer(cfg)
  params = model_oracle.draw(lm, dtype="float32")
  huggingface.save(tmp_path, lm, params)
  whole = sum(leaf.nbytes for leaf in jax.tree.leaves(params))
  largest = params["embedding"].nbytes
  del params
  tracemalloc.start()
  huggingface.load(tmp_path)
  _, peak = tracemalloc.get_traced_memory()
  tracemalloc.stop()
  assert whole < peak < whole + 1.1 * largest


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_drawn_shapes_are_those_of_transformers(case, seed, tmp_path):
  pytest.importorskip("torch")
  transformers = pytest.importorskip("transformers")
  model = made.make(case, seed)
  model.save_pretrained(tmp_path / "theirs", max_shard_size="20KB")
  lm, params = huggingface.load(tmp_path / "theirs")
  tokens = made.draw_tokens(model, seed)
  want = made.logits(model, tokens)
  found = jax.jit(lm.forward)(params, tokens[None]).logits[0]
  np.testing.assert_allclose(found, want, atol=1e-4)
  huggingface.save(tmp_path / "ours", lm, params, max_shard_bytes=30_000)
  again = transformers.AutoModelForCausalLM.from_pretrained(
    tmp_path / "ours", attn_implementation="eager", dtype="float32"
  ).eval()
  np.testing.assert_allclose(made.logits(again, tokens), want, atol=1e-4)
