"""Test-time compute scaling for language models, in JAX."""

from typing import Any

from tts_jax.version import __version__

__all__ = ["__version__", "solve"]


def __getattr__(name: str) -> Any:
  """`tts_jax.solve`, imported when it is asked for: it brings JAX along."""
  if name == "solve":
    from tts_jax.solving import notebook

    return notebook.solve
  raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
