"""Test-time compute scaling for language models, in JAX.

`import tts_jax as tts` offers what a notebook needs, each name with an example;
there `np` is numpy. A name is imported when it is asked for: JAX and all that
is large come along then, and not before.
"""

import importlib
from typing import Any

from tts_jax.version import __version__

# From a name to its module, and what it is called there where that differs.
_OFFERED = {
  # Answers.
  "solve": "solving.notebook",
  "solver": "solving.notebook",
  "Settings": "solving.engines",
  "Sampled": "scaling.plans",
  "Beam": "search.strategies",
  "Lookahead": "search.strategies",
  "DiverseBeam": "search.strategies",
  "Revised": "scaling.plans",
  # Models and questions.
  "load_models": "solving.notebook",
  "load_model": "model.huggingface:load",
  "save_model": "model.huggingface:save",
  "load_tokenizer": "tasks.tokenization:load",
  "read_questions": "tasks.jsonl",
  "shipped_questions": "tasks.gsm_symbolic:reporting_questions",
  # Samples, and votes among them.
  "sample_pool": "solving.notebook",
  "load_pool": "store.pool",
  "majority": "verify.choosing",
  "best_of_n": "verify.choosing",
  "best_of_n_weighted": "verify.choosing",
  "hierarchical": "verify.choosing",
  # Searches of a batch, to jit: any model, any verifier.
  "beam_search": "search.methods",
  "lookahead_search": "search.methods",
  # What a pool is worth.
  "pass_at_k": "scaling.estimators",
  "majority_at_k": "scaling.estimators",
  "best_of_n_at_k": "scaling.choices",
  "weighted_at_k": "scaling.choices",
  "quantile_bins": "scaling.difficulty",
  "binned_pass_at_k": "scaling.difficulty",
  "bootstrap": "scaling.intervals",
  "ExchangeForm": "scaling.exchange:Form",
  "summarise": "scaling.summary",
  # Runs and pictures.
  "open_run": "report.opened",
  "load_policy": "scaling.policy_file:load",
  "draw_figure": "report.opened",
  "draw_tree": "report.tree_picture:draw",
  "show": "report.showing",
}

__all__ = ["__version__", *_OFFERED]


def __getattr__(name: str) -> Any:
  if name not in _OFFERED:
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
  module, _, original = _OFFERED[name].partition(":")
  found = importlib.import_module(f"{__name__}.{module}")
  return getattr(found, original or name)


def __dir__() -> list[str]:
  return sorted({*globals(), *__all__})
