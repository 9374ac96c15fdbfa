"""Published verifiers, as launchers load them."""

import dataclasses

import ml_collections

from launch import loading
from tts_jax import errors
from tts_jax.verify import published


def folder(config: ml_collections.ConfigDict) -> str:
  """That of the published verifier.

  Raises:
    InputError: the config gives none.
  """
  named: str = config.verifier
  if not named:
    what = f"config.prm.format is {config.prm.format!r}"
    raise errors.InputError(f"{what}; give config.verifier, the folder of it")
  return named


def load(config: ml_collections.ConfigDict) -> published.Published:
  """The published verifier that the config names, on the device.

  Raises:
    InputError: as `folder` and `published.load`.
  """
  wanted = config.prm
  how = folder(config), wanted.format, wanted.dtype or None
  with loading.settings(config, config.verifier) as settings:
    prm = published.load(*how, **settings)
  return dataclasses.replace(prm, params=loading.on_devices(prm.params))
