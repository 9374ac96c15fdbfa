"""Whatever bytes a file holds, its reader gives a value or says what is wrong.

Never another exception: the message is one line and names the file's folder.
"""

import dataclasses
import json
import math

import hypothesis
import jax
import made_processbench
import mutations
import numpy as np
import pytest
import tiny_model
from hypothesis import strategies as st

from tts_jax.model import config, huggingface, huggingface_config
from tts_jax.scaling import replayed_pool
from tts_jax.store import pool
from tts_jax.tasks import (
  jsonl,
  processbench,
  prompting,
  replayed,
  selection,
  tokenization,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
  return tmp_path_factory.mktemp("fuzz")


_MATH = [
  {
    "problem": f"What is {n} + 1?",
    "solution": rf"It is \boxed{{{n + 1}}}.",
    "answer": n + 1,
    "unique_id": f"a/{n}",
    "level": 3,
  }
  for n in range(3)
]


@pytest.mark.parametrize(
  "fields",
  [
    jsonl.MATH,
    jsonl.Fields(question="problem"),
    jsonl.Fields(question="problem", answer=None, solution="solution"),
    jsonl.Fields(question="problem", graded=False),
  ],
  ids=("math", "plain", "stated", "asked"),
)
def test_questions(place, fields):
  path = place / "questions.jsonl"

  @mutations.fuzz(40)
  @hypothesis.given(mutations.either(_MATH, lines=True))
  def check(data):
    path.write_bytes(data)
    found = mutations.attempt(path, lambda: jsonl.read_questions(path, fields))
    if found is not None:
      assert found
      assert len({one.id for one in found}) == len(found)
      for one in found:
        assert one.text.strip()
        assert one.id.strip()
        assert 0 <= one.uid < 2**32
        f"{one.text}{one.answer}{one.solution}".encode()

  assert mutations.attempt(path, lambda: _written(path, _MATH, fields))
  check()


def _written(path, rows, fields):
  path.write_bytes(b"\n".join(map(mutations.dumped, rows)))
  return jsonl.read_questions(path, fields)


def test_solved_examples(place):
  path = place / "examples.jsonl"
  form = prompting.Form(
    format=prompting.FEW_SHOT,
    examples=str(path),
    question="problem",
    shots=2,
  )
  task = selection.task("jsonl")

  @mutations.fuzz(30)
  @hypothesis.given(mutations.either(_MATH, lines=True))
  def check(data):
    path.write_bytes(data)
    found = mutations.attempt(path, lambda: form.apply(task, place))
    if found is not None:
      assert found.before.count(r"\boxed") + found.before.count("####") >= 2

  check()


_REPLAYED = [
  {
    "problem": f"What is {n} + 1?",
    "answer": str(n + 1),
    "completions": ["It is 1.", "2"],
    "scores": [[0.5, 0.25], []],
    "verdicts": [True, None],
    "preds": ["1", None],
    "finished": [True, False],
  }
  for n in range(2)
]


def test_replayed_pools(place):
  path = place / "completions.jsonl"
  task = selection.task("jsonl")

  @mutations.fuzz(80)
  @hypothesis.given(mutations.either(_REPLAYED, lines=True), st.integers(0, 2))
  def check(data, samples):
    path.write_bytes(data)
    found = mutations.attempt(
      path, lambda: replayed.read(path, samples=samples)
    )
    if found is None:
      return
    assert len({len(one.completions) for one in found}) == 1
    for one in found:
      for steps in one.scores or ():
        assert all(0 <= step <= 1 for step in steps)
    if found[0].verdicts is not None and found[0].stated is not None:
      rows = replayed_pool.samples(found, task)
      assert rows.schema.equals(pool.SCHEMA)
      assert rows.num_rows == sum(len(one.completions) for one in found)
    scored = replayed_pool.scores(found)
    assert scored.num_rows == sum(len(one.scores or ()) for one in found)

  check()


@pytest.mark.parametrize("lines", [False, True], ids=("array", "lines"))
def test_processbench(place, lines):
  path = place / "gsm8k.json"
  rows = made_processbench.rows("gsm8k", 3)

  @mutations.fuzz(60)
  @hypothesis.given(mutations.either(rows, lines=lines))
  def check(data):
    path.write_bytes(data)
    found = mutations.attempt(path, lambda: processbench.read(path))
    if found is not None:
      assert len({one.id for one in found}) == len(found) > 0
      for one in found:
        assert -1 <= one.label < len(one.steps)
        assert all(step.strip() for step in one.steps)

  check()


_LLAMA3 = {
  "rope_type": "llama3",
  "factor": 8.0,
  "low_freq_factor": 1.0,
  "high_freq_factor": 4.0,
  "original_max_position_embeddings": 32,
}
_CONFIG = {
  "vocab_size": 16,
  "hidden_size": 8,
  "intermediate_size": 16,
  "num_hidden_layers": 2,
  "num_attention_heads": 2,
  "num_key_value_heads": 1,
  "head_dim": 4,
  "max_position_embeddings": 64,
  "rms_norm_eps": 1e-6,
  "tie_word_embeddings": True,
}
_CONFIGS = {
  "llama": {"rope_scaling": _LLAMA3, "hidden_act": "silu"},
  "mistral": {"sliding_window": 8, "rope_theta": 1e6},
  "qwen2": {
    "use_sliding_window": True,
    "sliding_window": 8,
    "max_window_layers": 1,
  },
  "gemma3_text": {
    "query_pre_attn_scalar": 4,
    "sliding_window": 8,
    "sliding_window_pattern": 2,
    "rope_local_base_freq": 1e4,
    "hidden_activation": "gelu_pytorch_tanh",
  },
  "gemma2": {
    "query_pre_attn_scalar": 16,
    "attn_logit_softcapping": 50.0,
    "final_logit_softcapping": 30.0,
    "layer_types": ["sliding_attention", "full_attention"],
    "sliding_window": 8,
  },
}


@pytest.mark.parametrize("kind", _CONFIGS)
def test_configs_of_models(place, kind):
  path = place / "config.json"
  valid = {"model_type": kind, **_CONFIG, **_CONFIGS[kind]}

  def read():
    return huggingface_config.read(path, "float32")

  @mutations.fuzz(80)
  @hypothesis.given(mutations.either(valid))
  def check(data):
    path.write_bytes(data)
    found = mutations.attempt(path, read)
    if found is not None:
      assert isinstance(found, config.TransformerConfig)
      assert found.heads % found.kv_heads == 0
      for field in dataclasses.fields(found):
        value = getattr(found, field.name)
        if isinstance(value, float):
          assert math.isfinite(value)

  path.write_bytes(mutations.dumped(valid))
  assert read().layers == 2
  check()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  folder = tmp_path_factory.mktemp("whole")
  tiny_model.save(folder)
  return folder


@pytest.mark.parametrize(
  ("name", "read"),
  [
    ("model.safetensors", huggingface.load),
    ("tokenizer.json", tokenization.load),
    ("tokenizer_config.json", tokenization.load),
    ("generation_config.json", tokenization.load),
  ],
)
def test_folders_of_models(model, name, read):
  path = model / name
  if not path.exists():
    path.write_text(json.dumps({"eos_token_id": [0, 3]}))
  whole = path.read_bytes()
  files = mutations.of_bytes(whole)
  if name.endswith(".json"):
    files = mutations.either(json.loads(whole))
  else:
    # Else most changes would fall into the numbers.
    end = 8 + int.from_bytes(whole[:8], "little")
    header = st.sampled_from(range(end)).flatmap(
      lambda at: st.binary(min_size=1, max_size=1).map(
        lambda byte: whole[:at] + byte + whole[at + 1 :]
      )
    )
    files = files | header

  @mutations.fuzz(60)
  @hypothesis.given(files)
  def check(data):
    path.write_bytes(data)
    found = mutations.attempt(model, lambda: read(model))
    if isinstance(found, tuple):
      for leaf in jax.tree.leaves(found[1]):
        assert np.isfinite(leaf).all()
    elif found is not None:
      assert 0 <= found.end_token < found.vocabulary
      assert found.decode(found.encode("12")) is not None

  try:
    check()
  finally:
    path.write_bytes(whole)
