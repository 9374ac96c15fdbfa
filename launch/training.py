"""The training run of launchers, which a machine may take away at any time."""

from typing import Any

from absl import logging

from launch import stopping
from tts_jax.train import loop
from tts_jax.train import step as step_lib


def run(
  *arguments: Any, **settings: Any
) -> tuple[step_lib.TrainState, dict[str, Any]]:
  """`loop.run` of these, which SIGTERM ends with a checkpoint of its step."""
  # Orbax logs each file that it writes, and what it raises once more.
  logging.set_verbosity(logging.FATAL)
  with stopping.deferred() as stop:
    return loop.run(*arguments, **settings, stop=stop)
