"""The package's version, alone so that building needs no import of JAX."""

__version__ = "0.1.0.dev0"
