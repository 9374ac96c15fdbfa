"""Tiny models of each family, made by transformers with random weights.

  python -m tests.transformers_models

writes tests/golden anew: of each of `CASES` the folder that transformers saves,
and what it computes from it. Needs the extra `oracle`.
"""

import json
import pathlib
import shutil

import numpy as np
import safetensors.numpy

GOLDEN = pathlib.Path(__file__).parent / "golden"
LENGTH, GREEDY = 40, 64

_LLAMA3 = {
  "rope_type": "llama3",
  "rope_theta": 10000.0,
  "factor": 8.0,
  "low_freq_factor": 1.0,
  "high_freq_factor": 4.0,
  "original_max_position_embeddings": 32,
}
_LINEAR = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}
_GEMMA3_ROPE = {
  "full_attention": {
    "rope_type": "linear",
    "factor": 8.0,
    "rope_theta": 1000000.0,
  },
  "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
}
_FULL, _SLIDING = "full_attention", "sliding_attention"

# Name: the class of its config, without "Config", and fields of it.
CASES = {
  "llama": ("Llama", {}),
  "llama_stretched": (
    "Llama",
    {"rope_parameters": _LLAMA3, "head_dim": 16, "tie_word_embeddings": True},
  ),
  "llama_linear": (
    "Llama",
    {"rope_parameters": _LINEAR, "num_key_value_heads": 4},
  ),
  "mistral": ("Mistral", {"sliding_window": 7}),
  "mistral_unwindowed": ("Mistral", {"sliding_window": None}),
  "qwen2": ("Qwen2", {"tie_word_embeddings": True}),
  "qwen2_windows": (
    "Qwen2",
    {"use_sliding_window": True, "sliding_window": 9, "max_window_layers": 1},
  ),
  "qwen3": ("Qwen3", {"head_dim": 12}),
  "qwen3_windows": (
    "Qwen3",
    {
      "use_sliding_window": True,
      "sliding_window": 5,
      "max_window_layers": 2,
      "tie_word_embeddings": True,
    },
  ),
  "gemma2": ("Gemma2", {"sliding_window": 6, "query_pre_attn_scalar": 12}),
  "gemma2_uncapped": (
    "Gemma2",
    {
      "sliding_window": 11,
      "attn_logit_softcapping": None,
      "final_logit_softcapping": None,
      "tie_word_embeddings": False,
    },
  ),
  "gemma3": (
    "Gemma3Text",
    {
      "sliding_window": 6,
      "layer_types": [_SLIDING, _SLIDING, _FULL],
      "rope_parameters": _GEMMA3_ROPE,
      "query_pre_attn_scalar": 20,
    },
  ),
  "gemma3_capped": (
    "Gemma3Text",
    {
      "sliding_window": 8,
      "layer_types": [_FULL, _SLIDING, _SLIDING],
      "final_logit_softcapping": 9.0,
    },
  ),
}


def sizes(seed=0):
  """Sizes that every family knows; drawn anew for each seed above 0."""
  rng = np.random.default_rng(seed)
  kv_heads, group = (2, 2) if seed == 0 else rng.integers(1, 4, 2)
  width = 16 if seed == 0 else 8 * rng.integers(1, 5)
  heads = int(kv_heads * group)
  return {
    "vocab_size": 48 if seed == 0 else int(rng.integers(20, 90)),
    # transformers refuses Gemma's width where heads do not divide it.
    "hidden_size": int(width) * heads // 2 if seed else 16,
    "intermediate_size": 24 if seed == 0 else int(rng.integers(5, 60)),
    "num_hidden_layers": 3,
    "num_attention_heads": heads,
    "num_key_value_heads": int(kv_heads),
    "head_dim": 8 if seed == 0 else 2 * int(rng.integers(2, 10)),
    "max_position_embeddings": 256,
  }


def make(case, seed=0):
  """A model of transformers: float32, its scores far from uniform."""
  import torch
  import transformers

  kind, fields = CASES[case]
  shape = sizes(seed)
  if kind == "Qwen2":
    # It has no field for another.
    shape["head_dim"] = shape["hidden_size"] // shape["num_attention_heads"]
    if shape["head_dim"] % 2:
      shape["hidden_size"] *= 2
      shape["head_dim"] *= 2
  if seed:
    fields = {k: v for k, v in fields.items() if k not in shape}
  config = getattr(transformers, kind + "Config")(
    **{**shape, **fields},
    bos_token_id=None,
    eos_token_id=None,
    pad_token_id=None,
    attn_implementation="eager",
  )
  name = kind.removesuffix("Text") + "ForCausalLM"
  torch.manual_seed(seed)
  model = getattr(transformers, name)._from_config(config).eval()
  gemma = kind.startswith("Gemma")
  with torch.no_grad():
    for label, parameter in model.named_parameters():
      if "norm" in label:
        parameter.normal_(0.0 if gemma else 1.0, 0.1)
      else:
        parameter.normal_(0.0, 0.3)
  return model


def logits(model, tokens):
  """Of one sequence [T]: [T, V] float32."""
  import torch

  with torch.no_grad():
    return model(torch.tensor(np.asarray(tokens)[None])).logits[0].numpy()


def greedy(model, tokens, count):
  """The `count` likeliest tokens after a sequence, one after the other."""
  tokens = list(map(int, tokens))
  for _ in range(count):
    tokens.append(int(logits(model, tokens)[-1].argmax()))
  return tokens[-count:]


def draw_tokens(model, seed=0):
  """[LENGTH] token ids."""
  rng = np.random.default_rng(100 + seed)
  return rng.integers(0, model.config.vocab_size, LENGTH).astype(np.int32)


def main():
  """Writes tests/golden anew."""
  import torch
  import transformers

  shutil.rmtree(GOLDEN, ignore_errors=True)
  for case in CASES:
    model = make(case)
    folder, tokens = GOLDEN / case, draw_tokens(model)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    golden = {
      "tokens": tokens,
      "logits": logits(model, tokens),
      "greedy": np.array(greedy(model, tokens[:8], GREEDY), np.int32),
    }
    safetensors.numpy.save_file(golden, folder / "golden.safetensors")
    print(case, sum(p.numel() for p in model.parameters()))
  made_by = {
    "torch": torch.__version__,
    "transformers": transformers.__version__,
  }
  (GOLDEN / "made_by.json").write_text(json.dumps(made_by, indent=2) + "\n")


if __name__ == "__main__":
  main()
