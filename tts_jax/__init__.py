"""Test-time compute scaling for language models, in JAX."""

from tts_jax.version import __version__

__all__ = ["__version__"]
